/**
 * @file Operators that mix values along one axis only, by fixed weights: resizing, reflection, strided or permuted
 * choice. Each is a small matrix [out, in]; the gradient is a product with it.
 */
import { elementCount } from "../../tensor/shape.ts";
import type { ValueName } from "../ir.ts";
import { transposeMatrix } from "./kernels.ts";
import type { Writer } from "./writer.ts";

/** Row-major weights: output position i is `sum over k of values[i * inputs + k] * input[k]`. */
export interface AxisMatrix {
  readonly outputs: number;
  readonly inputs: number;
  readonly values: Float64Array;
}

/** The matrix that picks input position `indices[i]` for output position i. */
export function choiceMatrix(indices: readonly number[], inputs: number): AxisMatrix {
  const values = new Float64Array(indices.length * inputs);
  indices.forEach((index, i) => {
    values[i * inputs + index] = 1;
  });
  return { outputs: indices.length, inputs, values };
}

/** What reaches the input of an axis matrix: `dy` of given dims times the matrix along the axis. */
export function applyAdjoint(
  w: Writer,
  dy: ValueName,
  { matrix, dims, axis }: { matrix: AxisMatrix; dims: readonly number[]; axis: number },
): ValueName {
  const { outputs, inputs, values } = matrix;
  const [lead, trail] = [elementCount(dims.slice(0, axis)), elementCount(dims.slice(axis + 1))];
  const target = dims.map((dim, i) => (i === axis ? inputs : dim));
  if (trail === 1) {
    const product = w.matmul(w.reshape(dy, [lead, outputs], dims), w.tensor([outputs, inputs], values));
    return w.reshape(product, target, [lead, inputs]);
  }
  const transposed = w.tensor([inputs, outputs], transposeMatrix(values, outputs, inputs));
  const product = w.matmul(transposed, w.reshape(dy, [lead, outputs, trail], dims));
  return w.reshape(product, target, [lead, inputs, trail]);
}
