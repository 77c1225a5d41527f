/** @file Clean images for a repair by name or path, and others that it is measured on. */
import { hashJson } from "../core/hash.ts";
import { drawnOrder } from "../core/noise.ts";
import type { ImageIndex } from "../data/dataset.ts";
import { datasets } from "../data/registry.ts";
import { contentHash } from "../data/splits.ts";
import type { RepairData } from "../jobs/repair/repair.ts";
import { openDataset } from "./open-dataset.ts";

/** Settings of {@link readRepairData}. */
export interface RepairDataOptions {
  /** Clean images at most, drawn by `seed`. */
  readonly count: number;
  readonly seed: number;
  /** Test images at most, the first ones. */
  readonly limit?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads clean images, and the test part. Of a data set with a name the clean images are drawn from its validation split,
 * which no training of ours has seen; of a folder or npz file, from all that is not its test part.
 * @throws what `openDataset` throws, and FormatError when an image or label is damaged.
 */
export async function readRepairData(
  nameOrPath: string,
  { count, seed, limit, signal }: RepairDataOptions,
): Promise<RepairData> {
  const { dataset, read } = await openDataset(nameOrPath, { signal });
  const split = Object.hasOwn(datasets, nameOrPath) ? "validation" : "train+validation";
  const clean = await read(split, { signal, rows: (index) => drawn(index, count, seed) });
  const first = limit === undefined ? undefined : ({ labels }: ImageIndex) => [...labels.keys()].slice(0, limit);
  const test = await read("test", { signal, rows: first });
  return { name: dataset.name, sha256: hashJson([contentHash(clean), contentHash(test)]), clean, test };
}

/** So many rows at random, ascending. */
function drawn({ labels }: ImageIndex, count: number, seed: number): number[] {
  const order = drawnOrder(labels.keys(), { seed, stream: "repair/images", items: labels.length });
  return order.slice(0, count).sort((a, b) => a - b);
}
