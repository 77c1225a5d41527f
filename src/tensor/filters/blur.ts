/** @file Blurs: separable by any row of weights, and the median. */
import { ShapeError } from "../../core/errors.ts";
import { type AxisWeights, resampleColumnsInto, resampleRowsInto } from "../kernels.ts";
import { imageDims } from "../shape.ts";
import { arrayOf, type RealTensor } from "../tensor.ts";
import { type Border, bordered } from "./border.ts";
import { medianInto } from "./kernels.ts";

/** The weights of a Gaussian at `size` whole distances about its middle, summing to 1. @param sigma in pixels, above 0. */
export function gaussianKernel(size: number, sigma: number): Float64Array {
  const raw = Float64Array.from({ length: size }, (_, i) => Math.exp(-((i - (size - 1) / 2) ** 2) / (2 * sigma ** 2)));
  const sum = raw.reduce((total, weight) => total + weight, 0);
  return raw.map((weight) => weight / sum);
}

/**
 * Weighs the neighbours of every pixel, along rows, then along columns.
 * @param images [N, C, H, W]. @param weights the same for both axes; `before` of them (half of them when left out) stand
 * before the pixel itself. @returns equal dims, new memory.
 * @throws ShapeError when an axis is too short to be mirrored.
 */
export function blur<T extends RealTensor>(
  images: T,
  weights: ArrayLike<number>,
  {
    border = "mirror",
    before = Math.floor(weights.length / 2),
  }: { readonly border?: Border; readonly before?: number } = {},
): T {
  const { h, w } = imageDims("blur", images.dims);
  const between = new Float64Array(images.data.length);
  resampleColumnsInto(between, images.data, w, axisOf(w, weights, { border, before }));
  const data = new arrayOf[images.dtype](images.data.length);
  resampleRowsInto(data, between, h, w, axisOf(h, weights, { border, before }));
  return { dtype: images.dtype, dims: images.dims, data } as T;
}

/**
 * The median of every window of `side` x `side` pixels; edge pixels are repeated.
 * @throws ShapeError when the side is not odd, or an axis is too short.
 */
export function medianBlur<T extends RealTensor>(images: T, side: number): T {
  const { h, w } = imageDims("median blur", images.dims);
  if (!(Number.isInteger(side) && side % 2 === 1 && side > 0)) {
    throw new ShapeError(`median blur: expected an odd side, got ${side}.`);
  }
  const reach = { before: (side - 1) / 2, after: (side - 1) / 2 };
  const [rows, columns] = [bordered(h, reach, "symmetric"), bordered(w, reach, "symmetric")];
  const data = new arrayOf[images.dtype](images.data.length);
  medianInto(data, images.data, { rows, columns, side });
  return { dtype: images.dtype, dims: images.dims, data } as T;
}

function axisOf(
  size: number,
  taps: ArrayLike<number>,
  { border, before }: { readonly border: Border; readonly before: number },
): AxisWeights {
  const count = taps.length;
  const positions = bordered(size, { before, after: count - 1 - before }, border);
  const indices = new Int32Array(size * count);
  const weights = new Float64Array(size * count);
  for (let i = 0; i < size * count; i++) {
    const position = positions[Math.floor(i / count) + (i % count)] ?? -1;
    indices[i] = Math.max(position, 0);
    weights[i] = position < 0 ? 0 : (taps[i % count] ?? 0);
  }
  return { size, count, indices, weights };
}
