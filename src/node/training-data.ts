/** @file A data set by name, in memory: what models learn from, and what they are measured on. */

import { hashJson } from "../core/hash.ts";
import { lookUp } from "../core/names.ts";
import { datasets } from "../data/registry.ts";
import { contentHash, readSplit, type Split } from "../data/splits.ts";
import type { TrainingData } from "../jobs/training/host.ts";
import { findDataset } from "./find-dataset.ts";
import { folderSource } from "./folder-source.ts";

/**
 * Reads the training and the test split of a data set.
 * @param train what is trained on; `train` (without the validation images) when left out.
 * @throws OptionError for an unknown name, InputError when its files are not here, FormatError when one is damaged.
 */
export async function readTrainingData(
  name: string,
  { train = "train", signal }: { readonly train?: Split | undefined; readonly signal?: AbortSignal | undefined } = {},
): Promise<TrainingData> {
  const dataset = lookUp("data set", name, datasets);
  const source = folderSource(await findDataset(dataset));
  const learned = await readSplit(dataset, source, { split: train, signal });
  const test = await readSplit(dataset, source, { split: "test", signal });
  return {
    name,
    sha256: hashJson([contentHash(learned), contentHash(test)]),
    classes: dataset.classes,
    train: learned,
    test,
  };
}
