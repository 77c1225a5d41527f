/** @file The few elementwise operations that happen outside a graph: linear combinations and clamping. */
import { ShapeError } from "../core/errors.ts";
import { clampInto, combineInto } from "./kernels.ts";
import { formatDims, sameDims } from "./shape.ts";
import { arrayOf, type RealTensor } from "./tensor.ts";

/**
 * The weighted sum `w0 * t0 + w1 * t1 + …` as a new tensor of the first one's type.
 * @throws ShapeError when dims differ.
 */
export function combine<T extends RealTensor>(...terms: readonly (readonly [weight: number, t: T])[]): T {
  const [first] = terms;
  if (first === undefined) throw new ShapeError("combine: expected at least one tensor, got none.");
  const { dtype, dims } = first[1];
  for (const [, t] of terms) {
    if (!sameDims(t.dims, dims)) {
      throw new ShapeError(`combine: expected dims ${formatDims(dims)}, got ${formatDims(t.dims)}.`);
    }
  }
  const data = new arrayOf[dtype](first[1].data.length);
  combineInto(
    data,
    terms.map(([weight]) => weight),
    terms.map(([, t]) => t.data),
  );
  return { dtype, dims, data } as T;
}

/** Every value moved into [low, high], as a new tensor. */
export function clamp<T extends RealTensor>(t: T, low: number, high: number): T {
  const data = t.data.slice();
  clampInto(data, data, low, high);
  return { dtype: t.dtype, dims: t.dims, data } as T;
}

/** `scale * t + shift` as a new tensor; `2x - 1` takes unit images to model range, `(x + 1) / 2` back. */
export function affine<T extends RealTensor>(t: T, scale: number, shift: number): T {
  return { dtype: t.dtype, dims: t.dims, data: t.data.map((value) => scale * value + shift) } as T;
}
