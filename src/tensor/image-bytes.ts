/** @file 8-bit pixels to floats in [0, 1] and back: the only place where images are quantised. */
import { type Float32Tensor, float32 } from "./tensor.ts";

/** Unit floats of 8-bit pixels, value / 255. @param dims dims of the result, [N, C, H, W]. */
export function unitFromBytes(dims: readonly number[], bytes: ArrayLike<number>): Float32Tensor {
  return float32(
    dims,
    Float32Array.from(bytes, (byte) => byte / 255),
  );
}

/** 8-bit pixels of unit floats: values outside [0, 1] are clamped, then rounded to nearest. */
export function bytesFromUnit(images: Float32Tensor): Uint8Array {
  return Uint8Array.from(images.data, (value) => Math.round(Math.min(Math.max(value, 0), 1) * 255));
}
