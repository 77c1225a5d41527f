/** @file What a face lends to a training, and the data that it trains on. */
import type { Runtime } from "../../runtime/runtime.ts";
import type { TensorOf } from "../../tensor/tensor.ts";
import type { BatchKind, BatchKinds, BatchSpec } from "../../training/batches/open-batches.ts";
import type { CheckpointStore, Checkpoints } from "../../training/checkpointed.ts";
import type { StepBatches } from "../../training/loop.ts";
import type { TrainingProgress } from "./progress.ts";

/** Images with their classes. */
export interface ClassifiedImages {
  /** uint8 [N, C, H, W] */
  readonly images: TensorOf<"uint8">;
  readonly labels: ArrayLike<number>;
}

/** A data set in memory. */
export interface TrainingData {
  readonly name: string;
  /** Of the content; `null` where nobody knows. */
  readonly sha256: string | null;
  readonly classes: readonly string[];
  readonly train: ClassifiedImages;
  readonly test: ClassifiedImages;
}

/** What every training may be lent. */
export interface TrainingHost {
  readonly runtime: Runtime;
  readonly threads?: number | undefined;
  /** Where the state is kept, so that the training can go on after a stop. */
  readonly checkpoints?: CheckpointStore | undefined;
  /** Assembles batches elsewhere, in a thread of their own; here when left out. */
  openBatches?<K extends BatchKind>(spec: BatchSpec<K>): StepBatches<BatchKinds[K]["batch"]>;
  readonly signal?: AbortSignal | undefined;
  progress?(progress: TrainingProgress): void;
}

/** Steps between two checkpoints. */
const CHECKPOINT_STEPS = 200;

/** The checkpoints of a host for a training that `key` determines. */
export function checkpointsOf({ checkpoints }: TrainingHost, key: string): Checkpoints | undefined {
  return checkpoints && { store: checkpoints, key, every: CHECKPOINT_STEPS };
}
