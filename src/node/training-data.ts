/** @file A data set by name or path, in memory: what models learn from, and what they are measured on. */
import { hashJson } from "../core/hash.ts";
import type { ImageIndex } from "../data/dataset.ts";
import { contentHash, type Split } from "../data/splits.ts";
import type { TrainingData } from "../jobs/training/host.ts";
import { openDataset } from "./open-dataset.ts";

/** Settings of {@link readTrainingData}. */
export interface TrainingDataOptions {
  /** What is trained on; `train` (without the validation images) when left out. */
  readonly train?: Split | undefined;
  /** Images of each split at most, the first ones. */
  readonly limit?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads the training and the test split of a data set.
 * @throws what `openDataset` throws, and FormatError when an image or label is damaged.
 */
export async function readTrainingData(
  nameOrPath: string,
  { train = "train", limit, signal }: TrainingDataOptions = {},
): Promise<TrainingData> {
  const { dataset, read } = await openDataset(nameOrPath, { signal });
  const firstOf = (count: number) => (index: ImageIndex) =>
    Array.from({ length: Math.min(count, index.labels.length) }, (_, i) => i);
  const options = { signal, rows: limit === undefined ? undefined : firstOf(limit) };
  const learned = await read(train, options);
  const test = await read("test", options);
  return {
    name: dataset.name,
    sha256: hashJson([contentHash(learned), contentHash(test)]),
    classes: dataset.classes,
    train: learned,
    test,
  };
}
