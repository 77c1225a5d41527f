/** @file What a bench's process and its workers say to each other. */
import type { ErrorCode } from "../../core/errors.ts";
import type { BenchJob, JobResult } from "../../jobs/bench/job.ts";
import type { Device } from "../../runtime/runtime.ts";
import type { ModelPlaces } from "./bench-worker.ts";

/** From the bench: first how to work, then one job at a time. */
export type ToWorker =
  | { readonly type: "open"; readonly device: Device; readonly threads: number; readonly places: ModelPlaces }
  | { readonly type: "run"; readonly job: BenchJob };

/** From a worker: once that it is ready, then of each job how far it is and how it ended. */
export type FromWorker =
  | { readonly type: "ready" }
  | { readonly type: "progress"; readonly share: number }
  | { readonly type: "result"; readonly result: JobResult }
  /** It cannot work, or must not do this job. */
  | { readonly type: "refused"; readonly code: ErrorCode | "internal"; readonly message: string };
