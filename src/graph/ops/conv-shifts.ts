/** @file Shifted copies of both sides of a convolution by stride 1: all that "separable im2col" copies. */
import type { ValueName } from "../ir.ts";
import { at } from "./at.ts";
import type { ConvShapes } from "./conv-shapes.ts";
import type { Writer } from "./writer.ts";

/** One shifted copy of dY per row tap, of x per column tap; both in the frame of x's rows and dY's columns. */
export function shiftedCopies(w: Writer, x: ValueName, dy: ValueName, { input, output, windows }: ConvShapes) {
  const [kernelH, kernelW] = [at(windows.kernel, 0), at(windows.kernel, 1)];
  const [height, wide] = [at(input, 2), at(output, 3)];
  const rows = Array.from({ length: kernelH }, (_, i) => {
    const top = i * at(windows.dilations, 0) - at(windows.before, 0);
    return w.pad(dy, [0, 0, top, 0], [0, 0, height - at(output, 2) - top, 0]);
  });
  const cols = Array.from({ length: kernelW }, (_, j) => {
    const left = at(windows.before, 1) - j * at(windows.dilations, 1);
    return w.pad(x, [0, 0, 0, left], [0, 0, 0, wide - at(input, 3) - left]);
  });
  return { rows, cols, kernelH, kernelW, height, wide };
}
