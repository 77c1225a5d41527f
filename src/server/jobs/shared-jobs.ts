/**
 * @file Jobs that several gateways share over a Redis server: they wait in BullMQ, whichever gateway is free takes one, and
 * any of them tells how far it is and hands out its files. What is asked of a server that is away is refused at once;
 * what runs waits for it.
 */
import { Readable } from "node:stream";
import type { Queue } from "bullmq";
import { pause } from "../../core/pause.ts";
import type { OpenRedis } from "../../node/redis.ts";
import { Refusal } from "../refusal.ts";
import {
  isOver,
  type Job,
  type JobEvent,
  type JobHost,
  type JobProgress,
  type JobStore,
  type JobView,
  KEEP_MS,
  MOST_KEPT,
  tooManyJobs,
  unknownJob,
  waitingJob,
} from "./job.ts";
import { jobShelf } from "./job-shelf.ts";
import { MOST_LOSSES, type RunEnd, type SharedEntry, takeSharedJobs } from "./shared-runs.ts";

/** How shared jobs behave; only tests are in a hurry. */
export interface SharedJobSettings {
  /** Bytes of a job's files and result. */
  readonly bytes: number;
  /** Jobs of this name; others never meet them. */
  readonly name?: string | undefined;
  /** Milliseconds after which a gateway that says nothing has lost its job. */
  readonly lockDuration?: number | undefined;
  /** Milliseconds between two looks at a job. */
  readonly poll?: number | undefined;
  /** Milliseconds that the server may take for an answer. */
  readonly patience?: number | undefined;
}

const PREFIX = "untrigger";
/** Seconds after which asking again may help. */
const RETRY = 5;
const ID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;
const open = ["waiting", "active", "delayed", "prioritized"] as const;

/** The jobs on a server. Whoever opened the server closes it after them. */
export async function createSharedJobs(
  redis: OpenRedis,
  host: JobHost,
  settings: SharedJobSettings,
): Promise<JobStore> {
  const { bytes, name = "gateway-1", lockDuration = 30_000, poll = 250, patience = 5000 } = settings;
  const hasty = redis.client.duplicate({
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    commandTimeout: patience,
    lazyConnect: true,
  });
  // It reconnects by itself; what was asked meanwhile is refused.
  hasty.on("error", () => undefined);
  await hasty.connect();
  const queue: Queue<SharedEntry["data"], RunEnd> = new redis.bullmq.Queue(name, {
    connection: hasty,
    prefix: PREFIX,
  });
  queue.on("error", () => undefined);
  const shelfPrefix = `${PREFIX}:${name}-jobs`;
  const shelf = jobShelf(hasty, shelfPrefix);
  const patient = jobShelf(redis.client, shelfPrefix);
  const runs = takeSharedJobs(redis, patient, host, {
    name,
    prefix: PREFIX,
    bytes,
    lockDuration,
    poll,
  });
  const closing = new AbortController();

  /** The entry and its state; undefined for one that is not kept. */
  async function look(id: string): Promise<{ readonly entry: SharedEntry; readonly view: JobView } | undefined> {
    if (!ID.test(id) || (await shelf.isCancelled(id))) return undefined;
    // In this order: what has ended then has its end.
    const state = await queue.getJobState(id);
    const entry = await queue.getJob(id);
    return entry === undefined || isOld(entry) ? undefined : { entry, view: viewOf(entry, state) };
  }

  async function find(id: string, owner: string | undefined): Promise<NonNullable<Awaited<ReturnType<typeof look>>>> {
    const found = await asked(look(id));
    if (found !== undefined && found.entry.data.owner === (owner ?? null)) return found;
    throw unknownJob(id);
  }

  async function* eventsOf(first: JobView, signal: AbortSignal): AsyncGenerator<JobEvent> {
    const leaving = AbortSignal.any([signal, closing.signal]);
    let told = first;
    // Rows are a function of the request: where a job is taken again, its second run goes on behind the first.
    let rows = 0;
    yield { event: "job", data: first };
    while (!leaving.aborted) {
      const seen = await news(told, rows).catch(() => undefined);
      if (seen !== undefined) {
        const { view, fresh } = seen;
        rows += fresh.length;
        for (const data of fresh) yield { event: "image", data };
        if (changed(told.progress, view.progress)) yield { event: "progress", data: view.progress };
        if (view.state !== told.state) yield { event: "job", data: view };
        if (isOver(view)) return;
        told = view;
      }
      // Also while the server is away.
      await pause(poll, leaving).catch(() => undefined);
    }
  }

  async function news(
    told: JobView,
    rows: number,
  ): Promise<{ readonly view: JobView; readonly fresh: readonly unknown[] }> {
    const found = await look(told.id);
    if (found === undefined) return { view: goneView(told, await shelf.isCancelled(told.id)), fresh: [] };
    const { entry, view } = found;
    return { view, fresh: await shelf.run(told.id, entry.attemptsStarted).rows(rows) };
  }

  return {
    async start(request) {
      host.work(request);
      const { kind, owner, body } = request;
      const view = waitingJob(kind);
      const count = await asked(queue.getJobCountByTypes(...open));
      if (count >= host.most()) throw tooManyJobs(host.most(), count);
      const kept = { age: KEEP_MS / 1000, count: MOST_KEPT };
      const add = async (): Promise<void> => {
        await shelf.setBody(view.id, JSON.stringify(body));
        const data = { kind, owner: owner ?? null, created: view.created };
        await queue.add(kind, data, { jobId: view.id, removeOnComplete: kept, removeOnFail: kept });
      };
      try {
        await asked(add());
      } catch (error) {
        // What was asked in vain may arrive yet: nobody knows of it.
        patient.cancel(view.id).catch(() => undefined);
        throw error;
      }
      return view;
    },
    async list(owner) {
      const found = new Map<string, JobView>();
      for (const state of [...open, "completed", "failed"] as const) {
        for (const entry of (await asked(queue.getJobs([state]))) as (SharedEntry | undefined)[]) {
          // One may be removed, or change its state, between two looks.
          if (entry?.id === undefined || entry.data.owner !== (owner ?? null) || isOld(entry)) continue;
          if (await asked(shelf.isCancelled(entry.id))) found.delete(entry.id);
          else found.set(entry.id, viewOf(entry, state));
        }
      }
      return [...found.values()].sort((a, b) => (a.created < b.created ? 1 : -1));
    },
    async get(id, owner): Promise<Job> {
      const { entry, view } = await find(id, owner);
      const own = shelf.run(id, entry.attemptsStarted);
      return {
        view,
        async result() {
          const text = view.state === "done" ? await asked(own.result()) : undefined;
          return text === undefined ? undefined : (JSON.parse(text) as object);
        },
        files: () => asked(own.files()),
        async open(path) {
          const bytes = await asked(own.file(path));
          return bytes === undefined ? undefined : Readable.from([bytes]);
        },
        events: (signal) => eventsOf(view, signal),
      };
    },
    async remove(id, owner) {
      const { entry } = await find(id, owner);
      await asked(shelf.cancel(id));
      // Whoever runs it hears of it soon; what runs is not removed here.
      await asked(queue.remove(id).catch(() => 0));
      await asked(shelf.clear(id, entry.attemptsStarted));
    },
    async close(over) {
      await runs.close(over);
      closing.abort();
      hasty.disconnect();
      // Without its connection it has nobody to wait for.
      await queue.close().catch(() => undefined);
    },
  };
}

/** @throws Refusal `away` for anything that the server does not do. */
async function asked<T>(question: Promise<T>): Promise<T> {
  try {
    return await question;
  } catch (cause) {
    throw new Refusal(
      "away",
      `jobs: expected an answer of the Redis server that keeps them, got none. Do ask again in ${RETRY} s.`,
      { cause, retryAfter: RETRY },
    );
  }
}

/** The queue removes old ones when others end: until then they are hidden. */
function isOld({ finishedOn }: SharedEntry): boolean {
  return finishedOn !== undefined && Date.now() - finishedOn > KEEP_MS;
}

function viewOf(entry: SharedEntry, state: string): JobView {
  const { id = "", data, progress } = entry;
  const view = { ...waitingJob(data.kind, id, data.created), progress: progressOf(progress) };
  if (state === "active") return { ...view, state: "running" };
  if (state === "completed") {
    const error = entry.returnvalue?.error ?? null;
    return { ...view, state: error === null ? "done" : "failed", error };
  }
  if (state !== "failed") return view;
  const error = `job: expected a gateway that ends it, got ${MOST_LOSSES + 1} that went away meanwhile. Do ask again.`;
  return { ...view, state: "failed", error: { error, code: "runtime-failure" } };
}

/** What readers of a job are told that is not kept any more. */
function goneView(told: JobView, cancelled: boolean): JobView {
  if (cancelled) return { ...told, state: "cancelled" };
  const error = "job: expected it on the Redis server, got none; because the server lost its memory. Do ask again.";
  return { ...told, state: "failed", error: { error, code: "endpoint" } };
}

function progressOf(value: unknown): JobProgress | null {
  return typeof value === "object" && value !== null ? (value as JobProgress) : null;
}

function changed(before: JobProgress | null, after: JobProgress | null): boolean {
  return after !== null && JSON.stringify(before) !== JSON.stringify(after);
}
