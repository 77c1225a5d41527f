/** @file The low-pass filter of the smooth trigger. */
import type { ImageShape } from "../trigger.ts";
import { filterAxisInto } from "./kernels.ts";

/** Taps of the filter, and those before the middle one. */
const TAPS = 30;
const BEFORE = 14;
/** Deviation of the Gaussian in pixels, at every image size. */
const SIGMA = 6;

const weights = normalised(
  Float64Array.from({ length: TAPS }, (_, k) => Math.exp(-((k - (TAPS - 1) / 2) ** 2) / (2 * SIGMA ** 2))),
);

/**
 * Each channel through a Gaussian of 30x30 taps, zeros outside; as new memory.
 * @param values [C, H, W]
 * @source YiZeng623/frequency-backdoor, Sec5_Smooth_Trigger, gauss_smooth.py: weights exp(-((k - 14.5) 5)^2 / (2 30^2)),
 * 14 zeros in front and 15 behind.
 */
export function lowPass(values: Float64Array, [planes, height, width]: ImageShape): Float64Array {
  const rows = new Float64Array(values.length);
  const out = new Float64Array(values.length);
  const down = { planes, length: height, stride: width, other: width, otherStride: 1, before: BEFORE };
  const across = { planes, length: width, stride: 1, other: height, otherStride: width, before: BEFORE };
  filterAxisInto(rows, values, weights, across);
  filterAxisInto(out, rows, weights, down);
  return out;
}

function normalised(values: Float64Array): Float64Array {
  const sum = values.reduce((total, value) => total + value, 0);
  return values.map((value) => value / sum);
}
