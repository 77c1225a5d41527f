/** @file How far two images are apart, pixel by pixel, and how rough one image is. */
import { ShapeError } from "../core/errors.ts";
import { rowsOf } from "../tensor/rows.ts";
import { formatDims, imageDims, sameDims } from "../tensor/shape.ts";
import type { Float32Tensor } from "../tensor/tensor.ts";

/** Distances between two images. */
export interface ImageDistance {
  /** Mean squared error over all values. */
  readonly mse: number;
  /** 10 log10(range² / mse), in decibel; infinite for equal images. */
  readonly psnr: number;
  /** Euclidean length of the difference. */
  readonly l2: number;
  /** Largest absolute difference. */
  readonly linf: number;
  /** Mean absolute difference. */
  readonly mae: number;
}

/**
 * Distances between the images of two batches, row by row.
 * @param a images [N, C, H, W]. @param b the same dims. @param range largest minus smallest possible value, for PSNR.
 * @throws ShapeError when the dims differ.
 */
export function imageDistance(a: Float32Tensor, b: Float32Tensor, range = 1): readonly ImageDistance[] {
  const { n } = imageDims("image distance", a.dims);
  if (!sameDims(a.dims, b.dims)) {
    throw new ShapeError(
      `image distance: expected two batches of equal dims, got ${formatDims(a.dims)} and ${formatDims(b.dims)}.`,
    );
  }
  return Array.from({ length: n }, (_, image) => {
    const other = rowsOf(b, image, image + 1).data;
    let [squares, absolutes, linf] = [0, 0, 0];
    rowsOf(a, image, image + 1).data.forEach((value, i) => {
      const difference = Math.abs(value - (other[i] ?? Number.NaN));
      squares += difference * difference;
      absolutes += difference;
      linf = Math.max(linf, difference);
    });
    const mse = squares / other.length;
    return {
      mse,
      psnr: 10 * Math.log10(range ** 2 / mse),
      l2: Math.sqrt(squares),
      linf,
      mae: absolutes / other.length,
    };
  });
}

/**
 * Total variation of every image of a batch [N, C, H, W].
 * @returns `sum`: of absolute differences between neighbours along both axes; `meanAbs`: the mean along rows plus the
 * mean along columns.
 */
export function totalVariation(images: Float32Tensor): readonly { readonly sum: number; readonly meanAbs: number }[] {
  const { n, c, h, w } = imageDims("total variation", images.dims);
  return Array.from({ length: n }, (_, image) => {
    const { data } = rowsOf(images, image, image + 1);
    let [across, down] = [0, 0];
    data.forEach((value, i) => {
      if (i % w > 0) across += Math.abs(value - (data[i - 1] ?? Number.NaN));
      if (Math.floor(i / w) % h > 0) down += Math.abs(value - (data[i - w] ?? Number.NaN));
    });
    return { sum: across + down, meanAbs: across / Math.max(c * h * (w - 1), 1) + down / Math.max(c * (h - 1) * w, 1) };
  });
}
