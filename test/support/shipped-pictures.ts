/** @file The clean pictures that ship beside a classifier, with their labels. */
import { readdirSync, readFileSync } from "node:fs";
import { type ImageId, imageId } from "../../src/core/noise.ts";
import { decodePicture } from "../../src/images/node.ts";
import { tensorFromPictures } from "../../src/images/picture.ts";
import type { Float32Tensor } from "../../src/tensor/tensor.ts";

/** Pictures of a folder with `labels.json`, in the order of their names. */
export async function shippedPictures(
  folder: string,
): Promise<{ images: Float32Tensor; labels: number[]; ids: ImageId[] }> {
  const shown = JSON.parse(readFileSync(`${folder}/labels.json`, "utf8")) as Record<string, number>;
  const names = readdirSync(folder)
    .filter((name) => name.endsWith(".png"))
    .sort();
  const pictures = await Promise.all(names.map((name) => decodePicture(readFileSync(`${folder}/${name}`), name)));
  return {
    images: tensorFromPictures(pictures),
    labels: names.map((name) => shown[name] ?? -1),
    ids: pictures.map(({ channels, height, width, pixels }) => imageId([channels, height, width], pixels)),
  };
}
