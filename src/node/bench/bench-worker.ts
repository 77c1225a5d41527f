/** @file Does the jobs of a bench on this machine, one after the other. */
import { cpus } from "node:os";
import { performance } from "node:perf_hooks";
import { messageOf, ToolkitError } from "../../core/errors.ts";
import { encodePng } from "../../images/node.ts";
import { measureCell } from "../../jobs/bench/cell.ts";
import type { BenchJob, CellJob, JobError, JobResult, ModelJob } from "../../jobs/bench/job.ts";
import { trainModel } from "../../jobs/bench/model.ts";
import { doneRow, failedRow, type RunFacts } from "../../jobs/bench/row.ts";
import type { Device, Runtime } from "../../runtime/runtime.ts";
import { checkpointFile } from "../checkpoint-file.ts";
import { readClassifierFiles } from "../open-classifier.ts";
import { packageVersion } from "../package-version.ts";
import { jobAssets, UnfitMachine } from "./job-assets.ts";
import { modelStore } from "./model-store.ts";

/** Where a bench's models are on this machine. */
export interface ModelPlaces {
  /** The folder of the models that are trained. */
  readonly models: string;
  /** Folders of those that lie elsewhere, by key. */
  readonly elsewhere: Readonly<Record<string, string>>;
}

/** What a worker is lent. */
export interface BenchWorkerSettings {
  readonly runtime: Runtime;
  readonly device: Device;
  /** Threads inside one run. */
  readonly threads: number;
  readonly places: ModelPlaces;
  readonly signal?: AbortSignal | undefined;
}

/** A worker. */
export interface BenchWorker {
  /**
   * Does a job. What goes wrong in it is a result, too.
   * @param progress is told the share of the job that is done, 0..1.
   * @throws UnfitMachine when this machine must not do the job; the signal's reason when aborted.
   */
  run(job: BenchJob, progress?: (share: number) => void): Promise<JobResult>;
  dispose(): Promise<void>;
}

/** Where the pictures of a cell are, relative to the folder of the results. */
export function sheetPath(key: string): string {
  return `sheets/${key.slice(0, 16)}.png`;
}

/** A worker in this process. */
export function benchWorker(settings: BenchWorkerSettings): BenchWorker {
  const { runtime, threads, places, signal } = settings;
  const assets = jobAssets(runtime, { threads, signal });
  const store = modelStore(places.models, new Map(Object.entries(places.elsewhere)));
  const shared = { ...settings, assets, store };
  return {
    async run(job, progress) {
      signal?.throwIfAborted();
      return job.kind === "model"
        ? await runModel(job, { ...shared, progress })
        : await runCell(job, { ...shared, progress });
    },
    dispose: () => assets.dispose(),
  };
}

interface Bench extends BenchWorkerSettings {
  readonly assets: ReturnType<typeof jobAssets>;
  readonly store: ReturnType<typeof modelStore>;
  readonly progress: ((share: number) => void) | undefined;
}

async function runModel(
  job: ModelJob,
  { assets, store, runtime, threads, signal, progress }: Bench,
): Promise<JobResult> {
  const { key, surrogate } = job;
  try {
    if (await store.has(key)) return { kind: "model", key };
    const data = await assets.training(job);
    const files = await trainModel(job, data, {
      runtime,
      threads,
      signal,
      surrogate: surrogate === null ? undefined : await readClassifierFiles(store.folderOf(surrogate), { signal }),
      checkpoints: checkpointFile(store.checkpointOf(key)),
      progress: ({ step, steps }) => progress?.(step / steps),
    });
    await store.save(key, files);
    return { kind: "model", key };
  } catch (error) {
    return { kind: "failed", key, error: excuse(error, signal) };
  }
}

async function runCell(job: CellJob, bench: Bench): Promise<JobResult> {
  const { assets, store, signal, progress } = bench;
  const { key } = job;
  const started = performance.now();
  const facts = (classifierHash: string | null): RunFacts => ({
    versions: versionsOf(bench.runtime),
    host: { device: bench.device, processor: cpus()[0]?.model ?? null, threads: bench.threads },
    finished: new Date().toISOString(),
    seconds: (performance.now() - started) / 1000,
    classifierHash,
  });
  let classifierHash: string | null = null;
  try {
    const model = await assets.model(store.folderOf(job.model));
    classifierHash = model.classifier.hash;
    const { images, classes } = await assets.images(job);
    const measures = await measureCell(job, {
      ...model,
      runtime: bench.runtime,
      threads: bench.threads,
      prior: await assets.prior(job),
      images,
      classes,
      calibration: await assets.calibration(job),
      clean: await assets.clean(job),
      references: await assets.references(job),
      now: () => performance.now() / 1000,
      signal,
      progress: (share) => progress?.(share),
    });
    const picture = measures.answers?.sheet;
    const sheet = picture === undefined ? undefined : await encodePng(picture);
    const path = sheet === undefined ? null : sheetPath(key);
    return { kind: "cell", key, row: doneRow(job, measures, { ...facts(classifierHash), sheet: path }), sheet };
  } catch (error) {
    return { kind: "cell", key, row: failedRow(job, excuse(error, signal), facts(classifierHash)) };
  }
}

/** What went wrong in a job. @throws what is not the job's own fault. */
function excuse(error: unknown, signal: AbortSignal | undefined): JobError {
  if (signal?.aborted || error instanceof UnfitMachine) throw error;
  if (error instanceof ToolkitError) return { code: error.code, message: error.message };
  return { code: "runtime-failure", message: `internal: ${messageOf(error)}` };
}

/** Of whatever decides on figures. */
function versionsOf({ name, version }: Runtime): Record<string, string> {
  return { untrigger: packageVersion(), [name]: version, node: process.versions.node };
}
