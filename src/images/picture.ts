/** @file What a decoded picture is, and its way into a batch of tensors and back. */
import { ShapeError } from "../core/errors.ts";
import { bytesFromUnit, unitFromBytes } from "../tensor/image-bytes.ts";
import { formatDims, imageDims } from "../tensor/shape.ts";
import type { Float32Tensor } from "../tensor/tensor.ts";

/** A picture as 8-bit pixels, grey (1 channel) or RGB (3). */
export interface Picture {
  /** Name without extension, with slashes: where its results go below the output folder. */
  readonly name: string;
  readonly channels: 1 | 3;
  readonly height: number;
  readonly width: number;
  /** channels x height x width values, one plane after the other. */
  readonly pixels: Uint8Array;
}

/** [C, H, W] of a picture. */
export function pictureDims({ channels, height, width }: Picture): readonly [number, number, number] {
  return [channels, height, width];
}

/**
 * Stacks pictures into one batch.
 * @returns float32 [N, C, H, W] in [0, 1].
 * @throws ShapeError when there is none, or when one differs in size or channels from the first; it names both.
 */
export function tensorFromPictures(pictures: readonly Picture[]): Float32Tensor {
  const [first] = pictures;
  if (first === undefined) throw new ShapeError("pictures: expected at least one, got none.");
  const dims = pictureDims(first);
  const bytes = new Uint8Array(pictures.length * first.pixels.length);
  pictures.forEach((picture, i) => {
    if (pictureDims(picture).some((dim, axis) => dim !== dims[axis])) {
      throw new ShapeError(
        `${picture.name}: expected ${formatDims(dims)} like ${first.name}, got ${formatDims(pictureDims(picture))}.`,
      );
    }
    bytes.set(picture.pixels, i * first.pixels.length);
  });
  return unitFromBytes([pictures.length, ...dims], bytes);
}

/**
 * The rows of a batch as pictures, rounded to 8 bits.
 * @param images float32 [N, C, H, W]; values outside [0, 1] are clamped. @param names one for each row.
 * @throws ShapeError when C is neither 1 nor 3, or when the names are not N.
 */
export function picturesFromTensor(images: Float32Tensor, names: readonly string[]): Picture[] {
  const { n, c, h, w } = imageDims("pictures", images.dims);
  if (c !== 1 && c !== 3) throw new ShapeError(`pictures: expected 1 or 3 channels, got ${c}.`);
  if (n !== names.length) throw new ShapeError(`pictures: expected ${n} names, got ${names.length}.`);
  const bytes = bytesFromUnit(images);
  const size = c * h * w;
  return names.map((name, i) => ({
    name,
    channels: c,
    height: h,
    width: w,
    pixels: bytes.slice(i * size, (i + 1) * size),
  }));
}
