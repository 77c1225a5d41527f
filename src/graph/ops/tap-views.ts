/** @file What every tap of a window sees: the pieces of im2col. */
import { elementCount } from "../../tensor/shape.ts";
import type { ValueName } from "../ir.ts";
import { at } from "./at.ts";
import type { ConvShapes } from "./conv-shapes.ts";
import { isDense } from "./windows.ts";
import type { Writer } from "./writer.ts";

/** Images seen through every tap of windows over two axes: one strided slice of the padded x each, [N, C, Ho, Wo]. */
export function tapViews(
  w: Writer,
  x: ValueName,
  { input, output, windows }: Pick<ConvShapes, "input" | "output" | "windows">,
): ValueName[] {
  const { kernel, strides, dilations, before } = windows;
  const space = kernel.map((_, i) => i + 2);
  const spans = kernel.map((_, i) => (at(output, i + 2) - 1) * at(strides, i) + 1);
  const needed = kernel.map((size, i) => (size - 1) * at(dilations, i) + at(spans, i));
  const after = needed.map((length, i) => length - at(input, i + 2) - at(before, i));
  const padded = w.pad(x, [0, 0, ...before], [0, 0, ...after]);
  const [kernelH, kernelW] = [at(kernel, 0), at(kernel, 1)];
  return Array.from({ length: kernelH * kernelW }, (_, tap) => {
    const starts = [Math.floor(tap / kernelW) * at(dilations, 0), (tap % kernelW) * at(dilations, 1)];
    const ends = starts.map((start, i) => start + at(spans, i));
    if (elementCount(kernel) === 1 && isDense(windows)) return padded;
    return w.slice(padded, space, { starts, ends, steps: strides });
  });
}
