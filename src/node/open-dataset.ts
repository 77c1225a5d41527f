/** @file A data set by its name or by its path: the one way in which verbs come to images with labels. */
import { stat } from "node:fs/promises";
import type { ByteSource } from "../core/byte-source.ts";
import { InputError } from "../core/errors.ts";
import { unknownName } from "../core/names.ts";
import type { Dataset, LabelledImages, ReadOptions } from "../data/dataset.ts";
import { datasets } from "../data/registry.ts";
import { readSplit, type Split } from "../data/splits.ts";
import { nodeDecoders } from "./decoders.ts";
import { type Environment, findDataset } from "./find-dataset.ts";
import { type FolderOptions, folderDataset } from "./folder-dataset.ts";
import { folderSource } from "./folder-source.ts";
import { npzDataset } from "./npz-dataset.ts";
import { readWhole } from "./read-whole.ts";

/** A data set that is ready to be read. */
export interface OpenDataset {
  readonly dataset: Dataset;
  /** Its files. */
  readonly source: ByteSource;
  /** Reads one of our splits, with this host's decoders. @throws whatever `dataset.read` throws. */
  read(split: Split, options?: Omit<ReadOptions, "decoders">): Promise<LabelledImages>;
}

/**
 * Opens a data set: the name of one in the registry, an npz file of images and labels, or a folder of pictures.
 * @throws OptionError when it is neither a name nor there, InputError when the files of a named one are not here,
 * FormatError when a file or folder is no data set.
 */
export async function openDataset(
  nameOrPath: string,
  { env, ...options }: FolderOptions & { readonly env?: Environment | undefined } = {},
): Promise<OpenDataset> {
  const named = Object.hasOwn(datasets, nameOrPath) ? datasets[nameOrPath] : undefined;
  if (named !== undefined) return opened(named, folderSource(await findDataset(named, env)));
  const found = await stat(nameOrPath).catch(() => undefined);
  if (found === undefined) {
    if (/[\\/]|\.npz$/i.test(nameOrPath)) {
      throw new InputError(`${nameOrPath}: expected a folder of pictures or an npz file, got nothing there.`);
    }
    throw unknownName("data set", nameOrPath, Object.keys(datasets));
  }
  if (found.isDirectory()) {
    const source = folderSource(nameOrPath);
    return opened(await folderDataset(nameOrPath, source, options), source);
  }
  const dataset = npzDataset(await readWhole(nameOrPath, { signal: options.signal }), nameOrPath);
  return opened(dataset, folderSource("."));
}

function opened(dataset: Dataset, source: ByteSource): OpenDataset {
  return {
    dataset,
    source,
    read: (split, options = {}) => readSplit(dataset, source, { ...options, split, decoders: nodeDecoders }),
  };
}
