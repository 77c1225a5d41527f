/** @file Averages over square blocks of pixels, and copying values back into blocks. */
import { ShapeError } from "../core/errors.ts";
import { averageBlocksInto, copyBlocksInto } from "./kernels.ts";
import { imageDims } from "./shape.ts";
import { arrayOf, type RealTensor } from "./tensor.ts";

/**
 * Means over blocks of scale x scale pixels. Where the scale does not divide a side, the last blocks are smaller and
 * their mean is over the pixels that they have.
 * @param t [N, C, H, W]. @returns [N, C, ceil(H / scale), ceil(W / scale)].
 * @throws ShapeError when the scale is not a positive integer.
 */
export function averagePool<T extends RealTensor>(t: T, scale: number): T {
  const { n, c, h, w } = imageDims("average pool", t.dims);
  if (!Number.isInteger(scale) || scale < 1) {
    throw new ShapeError(`average pool: expected a scale of at least 1, got ${scale}.`);
  }
  const dims: readonly number[] = [n, c, Math.ceil(h / scale), Math.ceil(w / scale)];
  const data = new arrayOf[t.dtype](n * c * Math.ceil(h / scale) * Math.ceil(w / scale));
  averageBlocksInto(data, t.data, h, w, scale);
  return { dtype: t.dtype, dims, data } as T;
}

/**
 * Copies every value into a block of scale x scale pixels: the pseudo-inverse of {@link averagePool}.
 * @param t [N, C, ceil(height / scale), ceil(width / scale)]. @returns [N, C, height, width].
 * @throws ShapeError when the size does not fit the scale.
 */
export function repeatBlocks<T extends RealTensor>(t: T, scale: number, height: number, width: number): T {
  const { n, c, h, w } = imageDims("repeat blocks", t.dims);
  if (Math.ceil(height / scale) !== h || Math.ceil(width / scale) !== w) {
    throw new ShapeError(`repeat blocks: expected ${h}x${w} blocks of ${scale} pixels, got ${height}x${width} pixels.`);
  }
  const dims: readonly number[] = [n, c, height, width];
  const data = new arrayOf[t.dtype](n * c * height * width);
  copyBlocksInto(data, t.data, height, width, scale);
  return { dtype: t.dtype, dims, data } as T;
}
