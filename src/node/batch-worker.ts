/** @file Assembles batches in a thread of their own, while the engine keeps the main one busy with the step before. */
import { tensor } from "../tensor/tensor.ts";
import type { BatchKind, BatchKinds, BatchSpec } from "../training/batches/open-batches.ts";
import type { StepBatches } from "../training/loop.ts";
import { askThread } from "./ask-thread.ts";
import { startThread } from "./start-thread.ts";

/** Batches from a thread. Whoever opens it closes it; closing twice is harmless. */
export interface BatchWorker<Batch> {
  /** What the description is refused for is heard with the first batch. */
  readonly batches: StepBatches<Batch>;
  /** Ends the thread. Batches that are still awaited fail. */
  close(): Promise<void>;
}

/**
 * Starts a thread that assembles batches. They are those of `openBatches`; their memory is moved here, not copied. The
 * images lie in shared memory, and are copied there once where they do not yet.
 * @param signal ends the thread; batches that are awaited then fail with its reason. @throws that reason when it is
 * aborted already.
 */
export function openBatchWorker<K extends BatchKind>(
  spec: BatchSpec<K>,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): BatchWorker<BatchKinds[K]["batch"]> {
  signal?.throwIfAborted();
  const worker = startThread("./batch-thread", import.meta.url, { workerData: inSharedMemory(spec) });
  const { ask, close } = askThread<number, BatchKinds[K]["batch"]>(worker, { subject: "batches", signal });
  return { batches: ask, close };
}

function inSharedMemory<K extends BatchKind>(spec: BatchSpec<K>): BatchSpec<K> {
  const { dims, data } = spec.images;
  if (data.buffer instanceof SharedArrayBuffer) return spec;
  const shared = new Uint8Array(new SharedArrayBuffer(data.length));
  shared.set(data);
  return { ...spec, images: tensor("uint8", dims, shared) };
}
