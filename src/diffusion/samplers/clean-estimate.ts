/** @file The clean image that a prediction implies, and keeping it in range: what all samplers share. */
import { clamp, combine } from "../../tensor/arithmetic.ts";
import { rowsOf } from "../../tensor/rows.ts";
import type { RealTensor } from "../../tensor/tensor.ts";
import type { Prediction } from "../predictor.ts";
import { absoluteQuantile, clampAndScaleInto } from "./kernels.ts";

/**
 * Per image: s = the `ratio` quantile of |x0|, at least 1 and at most `max`; then x0 is clamped to [-s, s] and divided by s.
 * @source Saharia et al. 2022, "Photorealistic Text-to-Image Diffusion Models" (Imagen), section 2.3. https://arxiv.org/abs/2205.11487
 */
export interface DynamicThreshold {
  readonly ratio: number;
  readonly max: number;
}

/** How x0 is kept in range: to [-r, r] for a number r, or by dynamic thresholding. Nothing is done when absent. */
export type Clip = number | DynamicThreshold;

/** x0 = (x - sqrt(1 - alphaBar) noise) / sqrt(alphaBar), or the net's own x0 where it gives one. New or the net's tensor. */
export function estimateX0<T extends RealTensor>(x: T, { noise, x0 }: Prediction, alphaBar: number): T {
  if (x0 !== undefined) return x0 as T;
  return combine<RealTensor>([1 / Math.sqrt(alphaBar), x], [-Math.sqrt((1 - alphaBar) / alphaBar), noise]) as T;
}

/** The noise that leads from x0 to x: (x - sqrt(alphaBar) x0) / sqrt(1 - alphaBar). */
export function noiseBetween<T extends RealTensor>(x: T, x0: T, alphaBar: number): T {
  const deviation = Math.sqrt(1 - alphaBar);
  return combine<RealTensor>([1 / deviation, x], [-Math.sqrt(alphaBar) / deviation, x0]) as T;
}

/** x0 kept in range; the same tensor when there is no clip. */
export function clipX0<T extends RealTensor>(x0: T, clip: Clip | undefined): T {
  if (clip === undefined) return x0;
  if (typeof clip === "number") return clamp(x0, -clip, clip);
  const out = { dtype: x0.dtype, dims: x0.dims, data: x0.data.slice() } as T;
  for (let row = 0; row < (x0.dims[0] ?? 0); row++) {
    const { data } = rowsOf(out as RealTensor, row, row + 1) as RealTensor;
    const limit = Math.max(1, Math.min(absoluteQuantile(data, clip.ratio), clip.max));
    clampAndScaleInto(data, data, limit);
  }
  return out;
}
