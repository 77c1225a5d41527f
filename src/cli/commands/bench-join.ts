/** @file `untrigger bench --join --redis URL`: this machine computes cells that others have asked for. */
import { join } from "node:path";
import { OptionError } from "../../core/errors.ts";
import { nameCell } from "../../jobs/bench/expand.ts";
import type { BenchJob } from "../../jobs/bench/job.ts";
import { modelStore } from "../../node/bench/model-store.ts";
import { redisList } from "../../node/bench/redis-list.ts";
import { type WorkerEvent, workerPool } from "../../node/bench/worker-pool.ts";
import { dataHome } from "../../node/find-dataset.ts";
import { openRedis } from "../../node/redis.ts";
import type { Device } from "../../runtime/runtime.ts";
import type { Console } from "../console.ts";
import type { CommonFlags } from "../flags.ts";
import { workerCommand } from "./bench-worker-command.ts";

/** Flags that joining reads. */
interface JoinFlags extends CommonFlags {
  readonly plan: string | undefined;
  readonly out?: string;
  readonly redis?: string;
  readonly workers: number;
  readonly threads: number;
  readonly device: Device;
}

/**
 * Works until Ctrl-C. Models that it is sent or trains are kept in the user's cache, or where `-o` says.
 * @throws OptionError for a plan or no server; UnfitMachine when this machine has other data than those who ask.
 */
export async function joinBench(flags: JoinFlags, console: Console): Promise<void> {
  const { plan, out, redis, workers, threads, device, quiet = false } = flags;
  const { signal } = console;
  if (redis === undefined) throw new OptionError("--join: expected a server, got none. Do name one with --redis URL.");
  if (plan !== undefined) {
    throw new OptionError(`--join: expected no plan, got ${plan}; who joins computes what others ask for.`);
  }
  const models = join(out ?? join(dataHome(), "bench"), "models");
  const server = await openRedis(redis);
  const list = redisList(server, { store: modelStore(models) });
  const onEvent = (event: WorkerEvent): void => {
    if (!quiet && event.type !== "progress") console.note(`${wordsOf(event)}\n`);
  };
  const pool = workerPool({ command: workerCommand(), device, threads, places: { models, elsewhere: {} }, onEvent });
  const leave = (): void => void list.close();
  signal.addEventListener("abort", leave);
  if (!quiet) console.note(`${server.address}: ${workers} workers wait for cells; end them with Ctrl-C.\n`);
  try {
    list.serve(pool.run, workers);
    // Nothing was asked for here: this ends when the list is closed, or when this machine must not go on.
    for await (const { key } of list.results()) await list.forget(key);
    signal.throwIfAborted();
  } finally {
    signal.removeEventListener("abort", leave);
    await list.close();
    await pool.close();
    server.close();
  }
}

function wordsOf(event: Exclude<WorkerEvent, { type: "progress" }>): string {
  const words = { begin: "begins", end: "done", lost: "lost its worker" }[event.type];
  return `${nameOf(event.job)}: ${words}${event.type === "lost" ? `; ${event.why}` : ""}`;
}

function nameOf(job: BenchJob): string {
  if (job.kind === "cell") return `${nameCell(job)}, seed ${job.seed}`;
  return `training ${job.attack === null ? "without attack" : job.attack.name}, seed ${job.seed}`;
}
