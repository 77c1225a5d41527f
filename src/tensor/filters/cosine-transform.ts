/** @file The orthonormal cosine transform of planes: what images are made of, from flat to finely striped. */
import { ShapeError } from "../../core/errors.ts";
import { formatDims } from "../shape.ts";
import type { RealTensor, TensorOf } from "../tensor.ts";
import { projectColumnsInto, projectRowsInto } from "./kernels.ts";

/**
 * The cosines of a transform of `size` values, [size, size]: row k swings k / 2 times over the axis, and has length 1.
 * @source Ahmed, Natarajan, Rao 1974, "Discrete Cosine Transform", eq. 1, scaled to length 1 (DCT-II).
 */
export function cosineBasis(size: number): Float64Array {
  return Float64Array.from({ length: size * size }, (_, at) => {
    const [k, i] = [Math.floor(at / size), at % size];
    return Math.sqrt((k === 0 ? 1 : 2) / size) * Math.cos((Math.PI * (2 * i + 1) * k) / (2 * size));
  });
}

/**
 * Transforms the last two axes (DCT-II), or back (DCT-III).
 * @param t [..., H, W]. @returns float64 of equal dims. @throws ShapeError when there are fewer than two axes.
 */
export function cosineTransform(
  t: RealTensor,
  { inverse = false }: { readonly inverse?: boolean } = {},
): TensorOf<"float64"> {
  const [height, width] = t.dims.slice(-2);
  if (height === undefined || width === undefined) {
    throw new ShapeError(`cosine transform: expected at least two axes, got ${formatDims(t.dims)}.`);
  }
  const between = new Float64Array(t.data.length);
  projectRowsInto(between, t.data, { basis: cosineBasis(width), size: width, transposed: inverse });
  const data = new Float64Array(t.data.length);
  projectColumnsInto(data, between, { basis: cosineBasis(height), size: height, width, transposed: inverse });
  return { dtype: "float64", dims: t.dims, data };
}
