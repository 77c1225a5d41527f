/** @file Maxima of windows, and means over whole maps. */
import { ints } from "../../graph/builder.ts";
import type { FeatureMap, Net } from "../net.ts";

/** Settings of {@link maxPool}. */
export interface MaxPoolOptions {
  /** Side of the square window. */
  readonly kernel: number;
  /** Pixels from one window to the next; the kernel when left out, so that windows lie side by side. */
  readonly stride?: number;
  /** Pixels around the map that windows may cover and that are never the largest; 0 when left out. */
  readonly margin?: number;
}

/** The largest value of every window; rows and columns that fill no window are dropped. */
export function maxPool(
  { b }: Net,
  x: FeatureMap,
  { kernel, stride = kernel, margin = 0 }: MaxPoolOptions,
): FeatureMap {
  const attributes = {
    kernel_shape: ints(kernel, kernel),
    strides: ints(stride, stride),
    pads: ints(margin, margin, margin, margin),
  };
  const size = (side: number): number => Math.floor((side + 2 * margin - kernel) / stride) + 1;
  return { ...x, value: b.op("MaxPool", [x.value], attributes), height: size(x.height), width: size(x.width) };
}

/** The mean of every channel: one vector per image. */
export function globalAveragePool({ b }: Net, x: FeatureMap): FeatureMap {
  return { ...x, value: b.op("GlobalAveragePool", [x.value]), height: 1, width: 1 };
}
