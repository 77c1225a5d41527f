/** @file Resizing a picture to what a model takes, for users who ask for it with `--fit`. */
import { bytesFromUnit, unitFromBytes } from "../tensor/image-bytes.ts";
import { resize } from "../tensor/resize.ts";
import { type Picture, pictureDims } from "./picture.ts";

/**
 * A picture of the given size; itself when it has that size already. Bilinear with half-pixel centres, the filter
 * widened when shrinking so that no pixel is skipped. The aspect ratio is not kept.
 */
export function fitPicture(picture: Picture, height: number, width: number): Picture {
  if (picture.height === height && picture.width === width) return picture;
  const images = unitFromBytes([1, ...pictureDims(picture)], picture.pixels);
  return { ...picture, height, width, pixels: bytesFromUnit(resize(images, height, width, { antialias: true })) };
}
