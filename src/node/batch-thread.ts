/** @file What the thread of a batch worker runs: it opens the batches that it was started with and answers steps. */
import { workerData } from "node:worker_threads";
import type { Tensor } from "../tensor/tensor.ts";
import { type BatchSpec, openBatches } from "../training/batches/open-batches.ts";
import type { StepBatches } from "../training/loop.ts";
import { answerWith } from "./ask-thread.ts";

let batches: StepBatches<object> | undefined;

answerWith(
  async (step: number) => {
    // Opened with the first question, whose answer then is why it cannot be.
    batches ??= openBatches(workerData as BatchSpec);
    return batches(step);
  },
  (batch) => [...new Set(Object.values(batch).map(({ data }: Tensor) => data.buffer as ArrayBuffer))],
);
