/**
 * @file The gradient of a convolution with respect to its weight, in the forms that ONNX Runtime computes quickest.
 * All but the last turn the sum over positions into one matrix product:
 * - dense windows: "separable im2col". dY is shifted by every row tap, x by every column tap; one product holds all
 *   pairs. A 3x3 kernel needs 3 + 3 copies instead of 9.
 * - strided windows, and few input channels: im2col, one strided slice of x per tap.
 * - depthwise: `conv-depthwise-weight.ts`.
 * - groups, one or three spatial axes: a convolution with batch and channel axes exchanged.
 */
import { elementCount } from "../../tensor/shape.ts";
import type { ValueName } from "../ir.ts";
import { at } from "./at.ts";
import { isDepthwise } from "./conv-depthwise.ts";
import { depthwiseWeightGradient } from "./conv-depthwise-weight.ts";
import { type ConvShapes, convAttributes } from "./conv-shapes.ts";
import { shiftedCopies } from "./conv-shifts.ts";
import { tapViews } from "./tap-views.ts";
import { isDense } from "./windows.ts";
import type { Writer } from "./writer.ts";

/**
 * From so many positions on, one product per image and a sum are as quick as one product over all images, which needs
 * batch and channels exchanged first (measured: 256 positions 10 % quicker, 196 positions 15 % slower).
 */
const MANY_POSITIONS = 256;

/** @param x [N, C, …] @param dy [N, O, …] @returns [O, C / group, …kernel] */
export function weightGradient(w: Writer, x: ValueName, dy: ValueName, shapes: ConvShapes): ValueName {
  const { weight, group, windows } = shapes;
  if (weight.length !== 4) return swappedConvolution(w, x, dy, shapes);
  if (group === 1) {
    return isDense(windows) && isSeparableCheaper(shapes) ? separable(w, x, dy, shapes) : columns(w, x, dy, shapes);
  }
  if (isDepthwise(shapes)) return depthwiseWeightGradient(w, x, dy, shapes);
  return swappedConvolution(w, x, dy, shapes);
}

/**
 * Whether shifting both sides copies less than im2col. Every tap of a side is one map per channel that is shifted and
 * then joined to the others (the centre is only joined); im2col does so for all taps of x. Shifting both sides moves the
 * axes of the gradient once more, which counts where there are more weights than positions: 512 channels at 7x7.
 */
function isSeparableCheaper({ weight, input, output, windows }: ConvShapes): boolean {
  const [rows, columns] = [at(windows.kernel, 0), at(windows.kernel, 1)];
  const [c, o] = [at(input, 1), at(output, 1)];
  const saved = 2 * rows * columns * c - (2 * rows - 1) * o - (2 * columns - 1) * c;
  return rows * columns > 1 && (saved * elementCount(output)) / o > elementCount(weight);
}

/** Maps [N, K, …] with all images of a channel next to each other, [K, N, …], where one product takes them all. */
interface Maps {
  readonly x: ValueName;
  readonly dy: ValueName;
  /** The axis of the channels, on which copies are joined. */
  readonly axis: 0 | 1;
}

function arrange(w: Writer, x: ValueName, dy: ValueName, { input, output }: ConvShapes): Maps {
  const n = at(input, 0);
  if (n > 1 && elementCount(output.slice(2)) >= MANY_POSITIONS) return { x, dy, axis: 1 };
  // Before anything is copied: moving is slow.
  const move = (value: ValueName, [, k = 1, ...space]: readonly number[]): ValueName =>
    n === 1 ? w.reshape(value, [k, n, ...space]) : w.transpose(value, [1, 0, 2, 3]);
  return { x: move(x, input), dy: move(dy, output), axis: 0 };
}

/** `sum over n and l of a[n, p, l] b[n, q, l]`, [P, Q], for joined {@link Maps}. */
function contract(
  w: Writer,
  a: ValueName,
  b: ValueName,
  { n, p, q, l, axis }: { n: number; p: number; q: number; l: number; axis: 0 | 1 },
): ValueName {
  if (axis === 0) return w.gemm(w.reshape(a, [p, n * l]), w.reshape(b, [q, n * l]), { transB: true });
  return w.sum(w.matmul(w.reshape(a, [n, p, l]), w.transpose(w.reshape(b, [n, q, l]), [0, 2, 1])), [0]);
}

function separable(w: Writer, x: ValueName, dy: ValueName, shapes: ConvShapes): ValueName {
  const { input, output, weight } = shapes;
  const { axis, ...maps } = arrange(w, x, dy, shapes);
  const { rows, cols, kernelH, kernelW, height, wide } = shiftedCopies(w, maps.x, maps.dy, shapes);
  const [n, c, o] = [at(input, 0), at(input, 1), at(output, 1)];
  const sizes = { n, p: kernelH * o, q: kernelW * c, l: height * wide, axis };
  const all = w.reshape(contract(w, w.concat(rows, axis), w.concat(cols, axis), sizes), [kernelH, o, kernelW, c]);
  // Two moves of one axis each: ONNX Runtime is slow where several axes move at once.
  return w.reshape(w.transpose(w.transpose(all, [1, 2, 3, 0]), [0, 2, 3, 1]), weight);
}

function columns(w: Writer, x: ValueName, dy: ValueName, shapes: ConvShapes): ValueName {
  const { input, output, weight, windows } = shapes;
  const taps = elementCount(windows.kernel);
  const [n, c, o, l] = [at(input, 0), at(input, 1), at(output, 1), elementCount(output.slice(2))];
  const { axis, ...maps } = arrange(w, x, dy, shapes);
  const b = w.concat(tapViews(w, maps.x, { shapes }), axis);
  const all = contract(w, maps.dy, b, { n, p: o, q: taps * c, l, axis });
  return w.reshape(taps === 1 ? all : w.transpose(w.reshape(all, [o, taps, c]), [0, 2, 1]), weight);
}

/** Batch is summed over and channels are kept: a convolution of x by dY with those axes, and stride and dilation, exchanged. */
function swappedConvolution(w: Writer, x: ValueName, dy: ValueName, shapes: ConvShapes): ValueName {
  const { input, output, weight, windows, group } = shapes;
  const { kernel, strides, dilations, before, after } = windows;
  const space = input.slice(2);
  const [n, c, o] = [at(input, 0), at(input, 1), at(output, 1)];
  const spatial = (from: number): number[] => space.map((_, i) => from + i);
  const grouped = w.transpose(w.reshape(x, [n, group, c / group, ...space]), [2, 1, 0, ...spatial(3)]);
  const image = w.reshape(grouped, [c / group, group * n, ...space]);
  const filter = w.transpose(dy, [1, 0, ...spatial(2)]);
  const filterSize = output.slice(2);
  const raw = w.op(
    "Conv",
    [image, filter],
    convAttributes({ kernel: filterSize, strides: dilations, dilations: strides, before, after }, group),
  );
  // Windows that leave a remainder see more shifts than the kernel has taps.
  const seen = kernel.map((_, i) => {
    const room = at(input, i + 2) + at(before, i) + at(after, i) - (at(filterSize, i) - 1) * at(strides, i) - 1;
    return Math.floor(room / at(dilations, i)) + 1;
  });
  const cropped = w.pad(raw, [0, 0, ...space.map(() => 0)], [0, 0, ...kernel.map((size, i) => size - at(seen, i))]);
  return w.reshape(w.transpose(cropped, [1, 0, ...spatial(2)]), weight, [o, c / group, ...kernel]);
}
