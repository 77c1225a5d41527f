/** @file Clean images for a scan: a data set with labels, a folder of pictures without, or a single picture. */
import { readdir, stat } from "node:fs/promises";
import { FormatError } from "../../core/errors.ts";
import { datasets } from "../../data/registry.ts";
import { type Picture, pictureDims, tensorFromPictures } from "../../images/picture.ts";
import { bytesFromUnit } from "../../tensor/image-bytes.ts";
import { concatRows } from "../../tensor/rows.ts";
import { type TensorOf, tensor } from "../../tensor/tensor.ts";
import { fileError } from "../file-error.ts";
import { listImages } from "../list-images.ts";
import { openDataset } from "../open-dataset.ts";
import { openPictures } from "../open-pictures.ts";

/** Images in memory. */
export interface GivenImages {
  readonly name: string;
  /** uint8 [N, C, H, W] */
  readonly images: TensorOf<"uint8">;
  /** `undefined` where the pictures have none. */
  readonly labels: Uint16Array | undefined;
  /** Of the data set; `undefined` without labels. */
  readonly classes: number | undefined;
  readonly names: readonly string[];
  /** Of a data set with a name: its training split, which references may learn from in place of these images. */
  readonly training?: { readonly images: TensorOf<"uint8">; readonly labels: Uint16Array } | undefined;
}

/**
 * Reads clean images. Of a data set with a name, its validation split, which no training of ours has seen, with the
 * training split beside it; of a folder or npz file, everything.
 * @throws what `openDataset` and `openPictures` throw.
 */
export async function readScanImages(place: string, signal?: AbortSignal): Promise<GivenImages> {
  const named = Object.hasOwn(datasets, place);
  if (!named && !(await isDataset(place))) return readPlain(place, signal);
  const { dataset, read } = await openDataset(place, { signal });
  const parts = [];
  for (const split of named ? (["validation"] as const) : (["train+validation", "test"] as const)) {
    const part = await read(split, { signal });
    if (part.labels.length > 0) parts.push(part);
  }
  const images = concatRows(parts.map((part) => part.images));
  const labels = Uint16Array.from(parts.flatMap((part) => [...part.labels]));
  const names = Array.from(labels, (_, i) => `${dataset.name}/${i}`);
  const training = named ? await read("train", { signal }) : undefined;
  return { name: dataset.name, images, labels, classes: dataset.classes.length, names, training };
}

/** A name or an npz file is one; a folder is when it has `labels.json`, or other folders. */
async function isDataset(place: string): Promise<boolean> {
  const found = await stat(place).catch(() => undefined);
  if (found === undefined) return !/\.(png|jpe?g|webp|tiff?|npy)$/i.test(place);
  if (!found.isDirectory()) return /\.npz$/i.test(place);
  const entries = await readdir(place, { withFileTypes: true }).catch((cause: unknown) => {
    throw fileError(place, "a folder of pictures", cause);
  });
  return entries.some((entry) => entry.name === "labels.json" || (entry.isDirectory() && !entry.name.startsWith(".")));
}

async function readPlain(place: string, signal: AbortSignal | undefined): Promise<GivenImages> {
  const set = await openPictures(await listImages([place]), { signal });
  const pictures: Picture[] = [];
  for await (const picture of set.read()) pictures.push(picture);
  const [first] = pictures;
  if (first === undefined) throw new FormatError(`${place}: expected at least one picture, got none.`);
  const bytes = bytesFromUnit(tensorFromPictures(pictures));
  return {
    name: place,
    images: tensor("uint8", [pictures.length, ...pictureDims(first)], bytes),
    labels: undefined,
    classes: undefined,
    names: pictures.map(({ name }) => name),
  };
}
