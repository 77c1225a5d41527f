/** @file Pixels in [0, 1] to the range that diffusion models live in, and back. */
import { affine, clamp } from "../tensor/arithmetic.ts";
import { type Float32Tensor, float32, type RealTensor } from "../tensor/tensor.ts";

/** Unit images in model range: 2x - 1. */
export function toModelRange<T extends RealTensor>(images: T): T {
  return affine(images, 2, -1);
}

/** Model-range images as unit images, values beyond the range clamped: what leaves a purifier. */
export function toUnitRange(x: RealTensor): Float32Tensor {
  const single = x.dtype === "float32" ? x : float32(x.dims, Float32Array.from(x.data));
  return clamp(affine(single, 0.5, 0.5), 0, 1);
}
