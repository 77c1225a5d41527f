/** @file A data set by name, in memory: what models learn from, and what they are measured on. */

import { hashJson } from "../core/hash.ts";
import { lookUp } from "../core/names.ts";
import type { ImageIndex } from "../data/dataset.ts";
import { datasets } from "../data/registry.ts";
import { contentHash, readSplit, type Split } from "../data/splits.ts";
import type { TrainingData } from "../jobs/training/host.ts";
import { nodeDecoders } from "./decoders.ts";
import { findDataset } from "./find-dataset.ts";
import { folderSource } from "./folder-source.ts";

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
 * @throws OptionError for an unknown name, InputError when its files are not here, FormatError when one is damaged.
 */
export async function readTrainingData(
  name: string,
  { train = "train", limit, signal }: TrainingDataOptions = {},
): Promise<TrainingData> {
  const dataset = lookUp("data set", name, datasets);
  const source = folderSource(await findDataset(dataset));
  const rows =
    limit === undefined
      ? undefined
      : ({ labels }: ImageIndex) => Array.from({ length: Math.min(limit, labels.length) }, (_, i) => i);
  const options = { signal, decoders: nodeDecoders, rows };
  const learned = await readSplit(dataset, source, { split: train, ...options });
  const test = await readSplit(dataset, source, { split: "test", ...options });
  return {
    name,
    sha256: hashJson([contentHash(learned), contentHash(test)]),
    classes: dataset.classes,
    train: learned,
    test,
  };
}
