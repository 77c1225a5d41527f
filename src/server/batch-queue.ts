/**
 * @file A queue in front of something that likes batches: single images from many requests share one run. It is bounded,
 * nobody waits longer for company than a stated time, and who leaves takes what he brought out of the queue.
 */
import { Refusal } from "./refusal.ts";

/** Settings of a queue. */
export interface QueueSettings {
  /** Items of one run. */
  readonly batch: number;
  /** Milliseconds that the first item waits for others while nothing runs. */
  readonly delayMs: number;
  /** Items that wait or run; beyond them a request is refused. */
  readonly queue: number;
}

/** A queue of single items. */
export interface BatchQueue<Item, Result> {
  /** Items that wait or run. */
  readonly depth: number;
  /**
   * Computes some items of one request, all or nothing; the results are in the order of the items.
   * @throws Refusal `busy` at once when they do not fit; what the run throws; the signal's reason.
   */
  submit(items: readonly Item[], signal: AbortSignal): Promise<Result[]>;
  /** Resolves when nothing waits or runs. */
  idle(): Promise<void>;
}

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly key: string;
  readonly signal: AbortSignal;
  readonly since: number;
  resolve(result: Result): void;
  reject(reason: unknown): void;
}

/** How much a new run counts against those before in the estimate of seconds an item. */
const MEMORY = 0.3;

/**
 * Makes a queue.
 * @param run computes items of equal key; its signal is aborted once nobody waits for any of them.
 * @param keyOf what items of one run must have in common.
 */
export function createBatchQueue<Item, Result>(
  run: (items: readonly Item[], signal: AbortSignal) => Promise<readonly Result[]>,
  keyOf: (item: Item) => string,
  settings: QueueSettings,
): BatchQueue<Item, Result> {
  const { batch, delayMs, queue } = settings;
  let waiting: Waiting<Item, Result>[] = [];
  let running = 0;
  let timer: NodeJS.Timeout | undefined;
  let secondsAnItem = 0.01;
  let idlers: (() => void)[] = [];

  const depth = (): number => waiting.length + running;

  function wake(): void {
    if (running > 0) return;
    if (waiting.length === 0) {
      for (const idler of idlers) idler();
      idlers = [];
      return;
    }
    const [first] = waiting as [Waiting<Item, Result>];
    const left = first.since + delayMs - performance.now();
    clearTimeout(timer);
    if (waiting.length >= batch || left <= 0) void start(first.key);
    else timer = setTimeout(wake, left);
  }

  async function start(key: string): Promise<void> {
    const taken = waiting.filter((each) => each.key === key).slice(0, batch);
    const set = new Set(taken);
    waiting = waiting.filter((each) => !set.has(each));
    running = taken.length;
    const controller = new AbortController();
    const signals = new Set(taken.map(({ signal }) => signal));
    const leave = (): void => {
      if ([...signals].every(({ aborted }) => aborted)) controller.abort();
    };
    for (const signal of signals) signal.addEventListener("abort", leave, { once: true });
    const started = performance.now();
    try {
      const results = await run(
        taken.map(({ item }) => item),
        controller.signal,
      );
      const measured = (performance.now() - started) / 1000 / taken.length;
      secondsAnItem += MEMORY * (measured - secondsAnItem);
      taken.forEach(({ resolve }, i) => {
        resolve(results[i] as Result);
      });
    } catch (error) {
      for (const { reject } of taken) reject(error);
    } finally {
      for (const signal of signals) signal.removeEventListener("abort", leave);
      running = 0;
      wake();
    }
  }

  return {
    get depth() {
      return depth();
    },
    async submit(items, signal) {
      signal.throwIfAborted();
      if (depth() + items.length > queue) {
        const wait = Math.min(Math.max(Math.ceil(depth() * secondsAnItem), 1), 60);
        throw new Refusal(
          "busy",
          `queue: expected room for ${items.length} of ${queue} images, got ${queue - depth()} free. Do try again in ${wait} s.`,
          { retryAfter: wait },
        );
      }
      const since = performance.now();
      let leave: (reason: unknown) => void = () => undefined;
      const gone = new Promise<never>((_, reject) => {
        leave = reject;
      });
      const left = (): void => {
        waiting = waiting.filter((each) => each.signal !== signal);
        leave(signal.reason);
      };
      signal.addEventListener("abort", left, { once: true });
      const results = items.map(
        (item) =>
          new Promise<Result>((resolve, reject) => {
            waiting.push({ item, key: keyOf(item), signal, since, resolve, reject });
          }),
      );
      wake();
      try {
        return await Promise.race([Promise.all(results), gone]);
      } finally {
        signal.removeEventListener("abort", left);
      }
    },
    async idle() {
      if (depth() === 0) return;
      await new Promise<void>((resolve) => idlers.push(resolve));
    },
  };
}
