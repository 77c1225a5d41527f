/**
 * @file The running side of jobs that gateways share: takes one at a time from the queue, puts what it makes onto the
 * shelf, and lets go of what was cancelled, lost or is for others.
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type * as BullMQ from "bullmq";
import type { Redis } from "ioredis";
import { EndpointError, messageOf } from "../../core/errors.ts";
import { Refusal } from "../refusal.ts";
import { type JobError, type JobHost, type JobKind, jobError, PROGRESS_MS } from "./job.ts";
import { listJobFiles } from "./job-files.ts";
import type { JobShelf } from "./job-shelf.ts";

/** What the queue holds of a job. */
export type SharedEntry = BullMQ.Job<
  { readonly kind: JobKind; readonly owner: string | null; readonly created: string },
  RunEnd
>;

/** What a run leaves in the queue; the rest is on the shelf. */
export interface RunEnd {
  readonly error: JobError | null;
}

/** Settings of {@link takeSharedJobs}. */
export interface SharedRunSettings {
  readonly name: string;
  readonly prefix: string;
  /** Bytes of a job's files and result. */
  readonly bytes: number;
  /** Milliseconds after which a gateway that says nothing has lost its job. */
  readonly lockDuration: number;
  /** Milliseconds between two looks whether a job is still wanted. */
  readonly poll: number;
}

/** How often a job may lose its gateway and be taken by another. */
export const MOST_LOSSES = 1;
/** Milliseconds that giving a job back may take at the end. */
const FAREWELL = 2000;

/** Nobody waits for the end of a run: it was cancelled, or is another gateway's by now. */
class Unwanted extends Error {
  override readonly name = "Unwanted";
}

/** The gateway ends: the job is for others. */
class Leaving extends Error {
  override readonly name = "Leaving";
}

/**
 * Takes jobs until it is closed.
 * @param client waits for a server that is away. @returns `close`, which waits for the running job until `over`.
 */
export function takeSharedJobs(
  { bullmq, client }: { readonly bullmq: typeof BullMQ; readonly client: Redis },
  shelf: JobShelf,
  host: JobHost,
  settings: SharedRunSettings,
): { close(over: Promise<void>): Promise<void> } {
  const { name, prefix, lockDuration } = settings;
  let running: { readonly id: string; readonly controller: AbortController } | undefined;
  let current: Promise<unknown> = Promise.resolve();
  let leaving = false;

  const begin = (entry: SharedEntry, token: string | undefined): Promise<RunEnd> => {
    const end = leaving ? giveBack(entry, token) : take(entry, token);
    current = end.catch(() => undefined);
    return end;
  };
  const worker = new bullmq.Worker(name, begin, {
    connection: client,
    prefix,
    // Each uses all cores.
    concurrency: 1,
    lockDuration,
    stalledInterval: lockDuration / 2,
    maxStalledCount: MOST_LOSSES,
    drainDelay: 1,
    runRetryDelay: 500,
  });
  worker.on("error", () => undefined);
  worker.on("lockRenewalFailed", (ids) => {
    if (running !== undefined && ids.includes(running.id)) running.controller.abort(new Unwanted());
  });

  async function giveBack(entry: SharedEntry, token: string | undefined): Promise<never> {
    await entry.moveToWait(token);
    throw new bullmq.WaitingError();
  }

  async function take(entry: SharedEntry, token: string | undefined): Promise<RunEnd> {
    const { id = "" } = entry;
    if (await shelf.isCancelled(id)) return { error: null };
    const controller = new AbortController();
    running = { id, controller };
    const watch = setInterval(() => {
      shelf.isCancelled(id).then(
        (cancelled) => cancelled && controller.abort(new Unwanted()),
        () => undefined,
      );
    }, settings.poll);
    const folder = await mkdtemp(join(tmpdir(), "untrigger-job-"));
    try {
      await work(entry, folder, controller);
      await shelf.run(id, entry.attemptsStarted).end();
      return { error: null };
    } catch (thrown) {
      const error: unknown = controller.signal.aborted ? controller.signal.reason : thrown;
      if (error instanceof Leaving) return await giveBack(entry, token);
      if (error instanceof Unwanted) {
        // One that was lost is another gateway's by now, with its request.
        if (await shelf.isCancelled(id)) await shelf.clear(id, entry.attemptsStarted);
        else await shelf.run(id, entry.attemptsStarted).clear();
        return { error: null };
      }
      await shelf.run(id, entry.attemptsStarted).end();
      return { error: jobError(error, host) };
    } finally {
      clearInterval(watch);
      running = undefined;
      await rm(folder, { recursive: true, force: true });
    }
  }

  async function work(entry: SharedEntry, folder: string, controller: AbortController): Promise<void> {
    const { id = "", data } = entry;
    const { signal } = controller;
    const files = join(folder, "files");
    const own = shelf.run(id, entry.attemptsStarted);
    const text = await shelf.body(id);
    if (text === undefined) throw new EndpointError("job: expected its request on the Redis server, got none.");
    let room = settings.bytes;
    const take = (bytes: number): void => {
      room -= bytes;
      if (room >= 0) return;
      throw new Refusal(
        "too-large",
        `job: expected at most ${settings.bytes} bytes of files and result, got more. Do ask for fewer pictures, or raise jobs.sharedBytes.`,
      );
    };
    const sent = new Set<string>();
    const send = async (path: string): Promise<void> => {
      if (sent.has(path)) return;
      sent.add(path);
      const bytes = await readFile(join(files, path));
      take(bytes.length);
      await kept(own.addFile(path, bytes));
    };
    // One after the other, so that a row is there after its files.
    let sending: Promise<void> = Promise.resolve();
    let shown = Number.NEGATIVE_INFINITY;
    let telling = false;
    const result = await host.work({ kind: data.kind, owner: data.owner ?? undefined, body: JSON.parse(text) })({
      folder,
      files,
      signal,
      progress(progress) {
        const now = performance.now();
        if (telling || now - shown < PROGRESS_MS) return;
        shown = now;
        telling = true;
        void entry
          .updateProgress({ ...progress })
          .catch(() => undefined)
          .finally(() => {
            telling = false;
          });
      },
      image(row, paths) {
        sending = sending.then(async () => {
          for (const path of paths) await send(path);
          await kept(own.addRow(row));
        });
        sending.catch((error: unknown) => controller.abort(error));
      },
    });
    await sending;
    for (const { path } of await listJobFiles(files)) {
      signal.throwIfAborted();
      await send(path);
    }
    const said = JSON.stringify(result);
    take(Buffer.byteLength(said));
    await kept(own.setResult(said));
    signal.throwIfAborted();
  }

  return {
    async close(over) {
      let ended = false;
      // Where the server is away, a worker that ends by the book waits for it for ever.
      const idle = worker
        .close(client.status !== "ready")
        .catch(() => undefined)
        .then(() => {
          ended = true;
        });
      // For the job, not for the worker: where the server is away, that one never comes to rest.
      await Promise.race([current, over]);
      leaving = true;
      running?.controller.abort(new Leaving());
      await Promise.race([idle, pause(FAREWELL, undefined, { ref: false })]);
      // A server that is away hears no goodbye.
      if (!ended) void worker.disconnect().catch(() => undefined);
    },
  };
}

/** @throws EndpointError for what the server does not take, as when its memory is full. */
async function kept(write: Promise<void>): Promise<void> {
  try {
    await write;
  } catch (cause) {
    throw new EndpointError(
      `job: expected a Redis server that keeps its files, got "${messageOf(cause).replace(/\.$/, "")}".`,
      { cause },
    );
  }
}
