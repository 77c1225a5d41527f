/** @file The low-pass filter of the smooth trigger. */
import { blur, gaussianKernel } from "../../tensor/filters/blur.ts";
import type { ImageShape } from "../trigger.ts";

/** Taps of the filter, and those before the pixel itself. */
const TAPS = 30;
const BEFORE = 14;
/** Deviation of the Gaussian in pixels, at every image size. */
const SIGMA = 6;

/**
 * Each channel through a Gaussian of 30x30 taps, zeros outside; as new memory.
 * @param values [C, H, W]
 * @source YiZeng623/frequency-backdoor, Sec5_Smooth_Trigger, gauss_smooth.py: weights exp(-((k - 14.5) 5)^2 / (2 30^2)),
 * 14 zeros in front and 15 behind.
 */
export function lowPass(values: Float64Array, shape: ImageShape): Float64Array {
  const image = { dtype: "float64", dims: [1, ...shape], data: values } as const;
  return blur(image, gaussianKernel(TAPS, SIGMA), { border: "zero", before: BEFORE }).data;
}
