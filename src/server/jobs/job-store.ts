/** @file Long work that clients start, watch and fetch: one at a time, in memory, its files in a temporary folder. */
import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Refusal, toldOf } from "../refusal.ts";

/** Kinds of work. */
export const jobKinds = ["purify", "scan", "audit", "bench"] as const;

/** One of {@link jobKinds}. */
export type JobKind = (typeof jobKinds)[number];

/** How far a job is. */
export interface JobProgress {
  readonly phase: string;
  readonly done: number;
  readonly total: number | null;
}

/** A job as clients see it. */
export interface JobView {
  readonly id: string;
  readonly kind: JobKind;
  readonly state: "waiting" | "running" | "done" | "failed" | "cancelled";
  readonly progress: JobProgress | null;
  readonly error: { readonly error: string; readonly code: string } | null;
  /** ISO time. */
  readonly created: string;
  readonly links: { readonly self: string; readonly events: string; readonly result: string; readonly files: string };
}

/** Something that readers of a job are told. */
export interface JobEvent {
  readonly event: "job" | "progress" | "image";
  readonly data: unknown;
}

/** What work is lent. */
export interface JobContext {
  /** A folder of its own, removed with the job. */
  readonly folder: string;
  readonly signal: AbortSignal;
  progress(progress: JobProgress): void;
  /** Tells of one item of the result that is ready with its files. */
  image(row: object): void;
}

/** Work: its result is plain JSON. */
export type JobWork = (context: JobContext) => Promise<object>;

/** A job with what belongs to it. */
export interface Job {
  readonly view: JobView;
  /** Name of the key that started it. */
  readonly owner: string | undefined;
  readonly folder: string | undefined;
  readonly result: object | undefined;
  /** What has happened so far, and then what happens; ends after the last change of state. */
  events(signal: AbortSignal): AsyncGenerator<JobEvent>;
}

/** The jobs of a gateway. */
export interface JobStore {
  /**
   * @param release is called once the job is over, also when it never ran.
   * @throws Refusal `busy` when as many wait or run as may.
   */
  start(kind: JobKind, owner: string | undefined, work: JobWork, release?: () => void): Job;
  list(owner: string | undefined): readonly Job[];
  /** @throws Refusal `unknown`. */
  get(id: string, owner: string | undefined): Job;
  /** Cancels and forgets. @throws Refusal `unknown`. */
  remove(id: string, owner: string | undefined): Promise<void>;
  /** Resolves when nothing waits or runs. */
  idle(): Promise<void>;
  /** Cancels and forgets everything. */
  close(): Promise<void>;
}

/** Milliseconds that an ended job is kept, and how many are. */
const KEEP_MS = 3_600_000;
const MOST_KEPT = 100;
/** Milliseconds between two events of progress. */
const PROGRESS_MS = 100;

interface Entry extends Job {
  view: JobView;
  folder: string | undefined;
  result: object | undefined;
  readonly controller: AbortController;
  readonly images: JobEvent[];
  readonly readers: Set<(event: JobEvent | undefined) => void>;
  ended: Promise<void>;
  expiry: NodeJS.Timeout | undefined;
}

/** Makes a store. @param most jobs that may wait or run. @param failed is told of errors that nobody expected. */
export function createJobStore(most: () => number, failed: (error: unknown) => void): JobStore {
  const jobs = new Map<string, Entry>();
  let last: Promise<void> = Promise.resolve();

  const active = (): Entry[] => [...jobs.values()].filter(({ view }) => !isOver(view));

  function tell(entry: Entry, event: JobEvent): void {
    for (const reader of entry.readers) reader(event);
  }

  function change(entry: Entry, change: Partial<JobView>): void {
    entry.view = { ...entry.view, ...change };
    tell(entry, { event: "job", data: entry.view });
    if (isOver(entry.view)) for (const reader of entry.readers) reader(undefined);
  }

  async function run(entry: Entry, work: JobWork): Promise<void> {
    const { controller } = entry;
    const { signal } = controller;
    let shown = Number.NEGATIVE_INFINITY;
    // Cancelled before its turn came.
    if (isOver(entry.view)) return;
    try {
      entry.folder = await mkdtemp(join(tmpdir(), "untrigger-job-"));
      change(entry, { state: "running" });
      entry.result = await work({
        folder: entry.folder,
        signal,
        progress(progress) {
          entry.view = { ...entry.view, progress };
          const now = performance.now();
          if (now - shown < PROGRESS_MS) return;
          shown = now;
          tell(entry, { event: "progress", data: progress });
        },
        image(row) {
          const event: JobEvent = { event: "image", data: row };
          entry.images.push(event);
          tell(entry, event);
        },
      });
      signal.throwIfAborted();
      change(entry, { state: "done" });
    } catch (error) {
      if (signal.aborted) change(entry, { state: "cancelled" });
      else {
        const { sentence, code } = toldOf(error);
        if (code === "runtime-failure") failed(error);
        change(entry, { state: "failed", error: { error: sentence, code } });
      }
    }
  }

  async function forget(entry: Entry): Promise<void> {
    jobs.delete(entry.view.id);
    clearTimeout(entry.expiry);
    entry.controller.abort();
    if (entry.view.state === "waiting") change(entry, { state: "cancelled" });
    else await entry.ended;
    if (entry.folder !== undefined) await rm(entry.folder, { recursive: true, force: true });
  }

  function get(id: string, owner: string | undefined): Entry {
    const entry = jobs.get(id);
    if (entry === undefined || entry.owner !== owner) {
      throw new Refusal("unknown", `job "${id.slice(0, 40)}": expected one that is kept here, got none such.`);
    }
    return entry;
  }

  return {
    start(kind, owner, work, release) {
      const count = active().length;
      if (count >= most()) {
        throw new Refusal("busy", `jobs: expected fewer than ${most()} that wait or run, got ${count}.`, {
          retryAfter: 10,
        });
      }
      const id = randomUUID();
      const self = `/api/jobs/${id}`;
      const entry: Entry = {
        view: {
          id,
          kind,
          state: "waiting",
          progress: null,
          error: null,
          created: new Date().toISOString(),
          links: { self, events: `${self}/events`, result: `${self}/result`, files: `${self}/files` },
        },
        owner,
        folder: undefined,
        result: undefined,
        controller: new AbortController(),
        images: [],
        readers: new Set(),
        ended: Promise.resolve(),
        expiry: undefined,
        events: (signal) => eventsOf(entry, signal),
      };
      jobs.set(id, entry);
      // One at a time: each uses all cores.
      last = last.then(() => run(entry, work)).finally(release);
      entry.ended = last.then(() => {
        entry.expiry = setTimeout(() => void forget(entry), KEEP_MS);
        entry.expiry.unref();
        const over = [...jobs.values()].filter(({ view }) => isOver(view));
        const [oldest] = over;
        // Not awaited: it waits for this very promise.
        if (over.length > MOST_KEPT && oldest !== undefined && oldest !== entry) void forget(oldest);
      });
      return entry;
    },
    list: (owner) => [...jobs.values()].filter((entry) => entry.owner === owner).reverse(),
    get,
    async remove(id, owner) {
      await forget(get(id, owner));
    },
    idle: () => last,
    async close() {
      await Promise.all([...jobs.values()].map(forget));
    },
  };
}

function isOver({ state }: JobView): boolean {
  return state === "done" || state === "failed" || state === "cancelled";
}

async function* eventsOf(entry: Entry, signal: AbortSignal): AsyncGenerator<JobEvent> {
  const waiting: (JobEvent | undefined)[] = [{ event: "job", data: entry.view }, ...entry.images];
  if (isOver(entry.view)) waiting.push(undefined);
  let wake = (): void => undefined;
  const reader = (event: JobEvent | undefined): void => {
    waiting.push(event);
    wake();
  };
  const leave = (): void => wake();
  entry.readers.add(reader);
  signal.addEventListener("abort", leave);
  try {
    while (!signal.aborted) {
      if (waiting.length === 0) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        continue;
      }
      const event = waiting.shift();
      if (event === undefined) return;
      yield event;
    }
  } finally {
    entry.readers.delete(reader);
    signal.removeEventListener("abort", leave);
  }
}
