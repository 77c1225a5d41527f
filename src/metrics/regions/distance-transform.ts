/** @file How far every pixel of a mask is from where the mask is not. */
import type { TensorOf } from "../../tensor/tensor.ts";
import { lowerEnvelopeInPlace } from "./kernels.ts";
import { checkMask, type Mask } from "./mask.ts";

/**
 * Euclidean distance from every pixel to the nearest zero of the mask, exact; 0 on zeros, infinite where there is none.
 * @returns float64 [H, W], in pixels. @throws ShapeError when the mask is none.
 */
export function distanceTransform(mask: Mask): TensorOf<"float64"> {
  const { height, width } = checkMask("distance transform", mask);
  const data = Float64Array.from(mask.data, (value) => (value === 0 ? 0 : Number.POSITIVE_INFINITY));
  for (let column = 0; column < width; column++) {
    lowerEnvelopeInPlace(data, { start: column, step: width, length: height });
  }
  for (let row = 0; row < height; row++) lowerEnvelopeInPlace(data, { start: row * width, step: 1, length: width });
  return { dtype: "float64", dims: mask.dims, data: data.map(Math.sqrt) };
}
