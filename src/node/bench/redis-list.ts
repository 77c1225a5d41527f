/**
 * @file A list of jobs on a Redis server, for workers on several machines. BullMQ hands jobs out and hands those of a
 * machine that died to another. Results wait in a hash until the bench that asked for them has them on its disk, so that
 * they outlive the worker's connection; models travel packed. When the server loses its memory, whoever asked asks again.
 */
import { setTimeout as pause } from "node:timers/promises";
import type { Job, Queue, Worker } from "bullmq";
import { z } from "zod";
import { type BenchJob, benchJob, type JobResult } from "../../jobs/bench/job.ts";
import { createTurn } from "../../jobs/bench/turn.ts";
import { givenUp, MOST_LOSSES, type Work, WorkerLost, type WorkList } from "../../jobs/bench/work-list.ts";
import { benchRow } from "../../results/bench-row.ts";
import type { OpenRedis } from "../redis.ts";
import { modelPost } from "./model-post.ts";
import type { ModelStore } from "./model-store.ts";

/** How a list behaves; only tests are in a hurry. */
export interface RedisListSettings {
  /** Where models are on this machine. */
  readonly store: ModelStore;
  /** Jobs of this version; others never meet them. */
  readonly name?: string | undefined;
  /** Milliseconds after which a machine that says nothing has lost its job. */
  readonly lockDuration?: number | undefined;
  /** Milliseconds between two looks for results. */
  readonly poll?: number | undefined;
  /** Milliseconds between two looks whether what was asked for is still on the list. */
  readonly audit?: number | undefined;
}

const PREFIX = "untrigger";
/** Cells before models: whoever is free finishes what can be finished. */
const priorities = { cell: 1, model: 2 } as const;
/** Milliseconds to wait for a model that has not reached the server yet. */
const MODEL_DELAY = 500;
/** Milliseconds that giving jobs back may take at the end. */
const FAREWELL = 2000;

const key = z.string();
/** A result as {@link encoded} writes it. */
const storedResult = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("cell"), key, row: benchRow, sheet: z.base64().optional() }),
  z.object({ kind: z.literal("model"), key }),
  z.object({ kind: z.literal("failed"), key, error: z.object({ code: z.string(), message: z.string() }) }),
]);

/** A list on a server. Whoever opened the server closes it after the list. */
export function redisList(redis: OpenRedis, settings: RedisListSettings): WorkList {
  const { name = "bench-1", lockDuration = 20_000, poll = 250, audit = 15_000 } = settings;
  const { bullmq, client } = redis;
  const post = modelPost(client, `${PREFIX}:${name}-models`, settings.store);
  const results = `${PREFIX}:${name}-results`;
  const queue: Queue = new bullmq.Queue(name, { connection: client, prefix: PREFIX });
  queue.on("error", () => undefined);

  /** What was added here and has no safe result yet. */
  const asked = new Map<string, BenchJob>();
  const found = new Map<string, JobResult>();
  const told = new Set<string>();
  /** Keys in work on this machine, with the way to give them back. */
  const working = new Map<string, (reason: Error) => void>();
  const turn = createTurn();
  let failure: { readonly error: unknown } | undefined;
  let closed = false;
  let worker: Worker | undefined;

  const put = async (jobs: readonly BenchJob[]): Promise<void> => {
    for (let from = 0; from < jobs.length; from += 500) {
      await queue.addBulk(jobs.slice(from, from + 500).map(entryOf));
    }
  };

  /** Takes what has arrived for us. */
  const look = async (): Promise<void> => {
    for (const key of await client.hkeys(results)) {
      if (!asked.has(key) || found.has(key)) continue;
      const result = decoded(await client.hget(results, key));
      if (result === undefined) await client.hdel(results, key);
      else if (result.kind !== "model" || (await post.fetch(key))) found.set(key, result);
    }
    turn.wake();
  };

  /** Asks again for what the server has forgotten, and gives up what has cost too many machines. */
  const check = async (): Promise<void> => {
    for (const { id: key = "", failedReason } of await queue.getFailed(0, 1000)) {
      if (!asked.has(key) || found.has(key)) continue;
      found.set(key, givenUp(key, `${failedReason}.`));
      await queue.remove(key);
    }
    const open = [...asked.values()].filter(({ key }) => !found.has(key) && !working.has(key));
    const missing: BenchJob[] = [];
    for (const job of open) if ((await client.exists(`${PREFIX}:${name}:${job.key}`)) === 0) missing.push(job);
    // A job that is gone may have been done meanwhile.
    await look();
    const lost = missing.filter(({ key }) => !found.has(key));
    for (const model of modelsOf(open)) await post.offer(model);
    await put(lost);
  };

  const watch = async (): Promise<void> => {
    let checked = performance.now();
    while (!closed) {
      await Promise.race([pause(poll, undefined, { ref: false }), turn.next()]);
      try {
        if (asked.size > found.size) await look();
        if (performance.now() - checked < audit) continue;
        await check();
        checked = performance.now();
      } catch {
        // The server is away, or this list is being closed: the next round will tell.
      }
    }
  };

  const process = async (entry: Job, token: string | undefined, work: Work): Promise<void> => {
    const job = benchJob.parse(entry.data);
    // Done already, before the server lost sight of it.
    if ((await client.hexists(results, job.key)) === 1) return;
    for (const model of modelsOf([job])) {
      if (await post.fetch(model)) continue;
      await entry.moveToDelayed(Date.now() + MODEL_DELAY, token);
      throw new bullmq.DelayedError();
    }
    try {
      const result = await new Promise<JobResult>((resolve, reject) => {
        working.set(job.key, reject);
        if (closed || failure !== undefined) reject(new Leaving());
        else work(job).then(resolve, reject);
      });
      await deliver(result);
    } catch (error) {
      if (error instanceof WorkerLost && !closed) {
        if (entry.attemptsMade + 1 < MOST_LOSSES) throw error;
        await deliver(givenUp(job.key, error.message));
        return;
      }
      if (!(error instanceof Leaving || error instanceof WorkerLost)) {
        failure ??= { error };
        turn.wake();
        // This machine takes no more; what it has goes back below.
        void worker?.close().catch(() => undefined);
      }
      await entry.moveToWait(token);
      throw new bullmq.WaitingError();
    } finally {
      working.delete(job.key);
    }
  };

  const deliver = async (result: JobResult): Promise<void> => {
    if (result.kind === "model") await post.offer(result.key);
    await client.hset(results, result.key, encoded(result));
    turn.wake();
  };

  void watch();
  return {
    async add(jobs) {
      const fresh = jobs.filter(({ key }) => !asked.has(key));
      for (const job of fresh) asked.set(job.key, job);
      for (const model of modelsOf(fresh)) await post.offer(model);
      await put(fresh);
    },
    serve(work, slots) {
      worker = new bullmq.Worker(name, (entry, token) => process(entry, token, work), {
        connection: client,
        prefix: PREFIX,
        concurrency: slots,
        lockDuration,
        stalledInterval: lockDuration / 2,
        maxStalledCount: MOST_LOSSES - 1,
        drainDelay: 1,
        runRetryDelay: 500,
      });
      worker.on("error", () => undefined);
    },
    async *results() {
      for (;;) {
        const next = [...found].find(([key]) => !told.has(key));
        if (next !== undefined) {
          told.add(next[0]);
          yield next[1];
        } else if (failure !== undefined) throw failure.error;
        else if (closed) return;
        else await turn.next();
      }
    },
    async forget(key) {
      asked.delete(key);
      found.delete(key);
      told.delete(key);
      await client.hdel(results, key);
    },
    async close() {
      if (closed) return;
      closed = true;
      turn.wake();
      for (const leave of working.values()) leave(new Leaving());
      const goodbye = async (): Promise<void> => {
        await worker?.close();
        await Promise.all([...asked.keys()].map((key) => queue.remove(key)));
        if (asked.size === 0) await post.clear();
      };
      await Promise.race([goodbye().catch(() => undefined), pause(FAREWELL, undefined, { ref: false })]);
      await worker?.close(true).catch(() => undefined);
      await queue.close().catch(() => undefined);
    },
  };
}

/** The list is being closed: the job is for others. */
class Leaving extends Error {
  override readonly name = "Leaving";
}

function entryOf(job: BenchJob): Parameters<Queue["addBulk"]>[0][number] {
  return {
    name: job.kind,
    data: job,
    opts: { jobId: job.key, priority: priorities[job.kind], attempts: MOST_LOSSES, removeOnComplete: true },
  };
}

/** Keys of the models that jobs look at. */
function modelsOf(jobs: readonly BenchJob[]): Set<string> {
  return new Set(
    jobs.flatMap((job) => (job.kind === "cell" ? [job.model] : job.surrogate === null ? [] : [job.surrogate])),
  );
}

/** Results as text; the bytes of a sheet in base64. */
function encoded(result: JobResult): string {
  const { sheet, ...rest } = { sheet: undefined, ...result };
  return JSON.stringify(sheet === undefined ? rest : { ...rest, sheet: Buffer.from(sheet).toString("base64") });
}

/** `undefined` for what {@link encoded} did not write. */
function decoded(text: string | null): JobResult | undefined {
  try {
    const value = storedResult.parse(JSON.parse(text ?? ""));
    if (value.kind !== "cell") return value;
    return {
      ...value,
      sheet: value.sheet === undefined ? undefined : new Uint8Array(Buffer.from(value.sheet, "base64")),
    };
  } catch {
    return undefined;
  }
}
