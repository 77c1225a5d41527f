/** @file The dims and attributes of one convolution. */
import { int, ints } from "../builder.ts";
import type { Attribute } from "../ir.ts";
import type { Windows } from "./windows.ts";

/** Dims of a convolution: input [N, C, …], weight [O, C / group, …], output [N, O, …]. */
export interface ConvShapes {
  readonly input: readonly number[];
  readonly weight: readonly number[];
  readonly output: readonly number[];
  readonly group: number;
  readonly windows: Windows;
}

/** Attributes of a convolution. */
export function convAttributes(
  { kernel, strides, dilations, before, after }: Windows,
  group: number,
): Record<string, Attribute> {
  return {
    kernel_shape: ints(...kernel),
    strides: ints(...strides),
    dilations: ints(...dilations),
    pads: ints(...before, ...after),
    group: int(group),
  };
}
