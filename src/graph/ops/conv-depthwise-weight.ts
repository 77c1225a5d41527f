/** @file The gradient of a depthwise convolution with respect to its weight, over maps of any size. */
import type { ValueName } from "../ir.ts";
import { at } from "./at.ts";
import type { ConvShapes } from "./conv-shapes.ts";
import { shiftedCopies } from "./conv-shifts.ts";
import { isDense } from "./windows.ts";
import type { Writer } from "./writer.ts";

/** Up to so many columns of x products of whole rows are quicker (measured: 16 three times, 28 a tenth, 56 slower). */
const FEW_COLUMNS = 32;

/** @param x [N, C, H, W] @param dy [N, C, Ho, Wo] @returns [C, 1, …kernel] */
export function depthwiseWeightGradient(w: Writer, x: ValueName, dy: ValueName, shapes: ConvShapes): ValueName {
  const separable = isDense(shapes.windows) && at(shapes.input, 3) > FEW_COLUMNS;
  return separable ? shiftedProducts(w, x, dy, shapes) : rowProducts(w, x, dy, shapes);
}

/** Shifted copies of both sides, and one skinny product for every channel of every image. */
function shiftedProducts(w: Writer, x: ValueName, dy: ValueName, shapes: ConvShapes): ValueName {
  const { input, weight } = shapes;
  const { rows, cols, kernelH, kernelW, height, wide } = shiftedCopies(w, x, dy, shapes);
  const [n, c, l] = [at(input, 0), at(input, 1), height * wide];
  const a = w.reshape(w.concat(rows, 2), [n, c, kernelH, l]);
  const b = w.reshape(w.concat(cols, 2), [n, c, kernelW, l]);
  return w.reshape(w.sum(w.matmul(a, w.transpose(b, [0, 1, 3, 2])), [0]), weight);
}

/**
 * For every channel and row of the kernel, the products of all columns of dY with all columns of x, summed over the rows
 * of all images: one product. What a column of the kernel sees lies on one of its diagonals. Most of the products are
 * not wanted, but the engine makes them faster than it copies what is.
 */
function rowProducts(
  w: Writer,
  x: ValueName,
  dy: ValueName,
  { input, output, weight, windows }: ConvShapes,
): ValueName {
  const { kernel, strides, dilations, before } = windows;
  const [n, c, h, wide] = [at(input, 0), at(input, 1), at(input, 2), at(input, 3)];
  const [ho, wo] = [at(output, 2), at(output, 3)];
  const [kernelH, kernelW] = [at(kernel, 0), at(kernel, 1)];
  const [stride, dilation, top] = [at(strides, 0), at(dilations, 0), at(before, 0)];
  const span = (ho - 1) * stride + 1;
  const bottom = (kernelH - 1) * dilation + span - h - top;
  const image = w.pad(w.transpose(x, [1, 0, 2, 3]), [0, 0, top, 0], [0, 0, bottom, 0]);
  const columns = w.transpose(w.reshape(w.transpose(dy, [1, 0, 2, 3]), [c, n * ho, wo]), [0, 2, 1]);
  const products = Array.from({ length: kernelH }, (_, i) => {
    const range = { starts: [i * dilation], ends: [i * dilation + span], steps: [stride] };
    const rows = w.reshape(w.slice(image, [2], range), [c, n * ho, wide]);
    return w.reshape(w.matmul(columns, rows), [c, 1, wo * wide]);
  });
  const diagonals = new Float32Array(wo * wide * kernelW);
  for (let column = 0; column < wo; column++) {
    for (let j = 0; j < kernelW; j++) {
      const seen = column * at(strides, 1) + j * at(dilations, 1) - at(before, 1);
      if (seen >= 0 && seen < wide) diagonals[(column * wide + seen) * kernelW + j] = 1;
    }
  }
  const all = w.reshape(w.concat(products, 1), [c * kernelH, wo * wide]);
  return w.reshape(w.matmul(all, w.tensor([wo * wide, kernelW], diagonals)), weight);
}
