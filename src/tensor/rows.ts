/** @file Batches by their first axis: taking rows, joining, repeating. */
import { ShapeError } from "../core/errors.ts";
import { elementCount, formatDims, sameDims } from "./shape.ts";
import { arrayOf, type DType, type TensorOf } from "./tensor.ts";

/** Rows `from`..`to - 1` as a view on the same memory. */
export function rowsOf<D extends DType>(t: TensorOf<D>, from: number, to: number): TensorOf<D> {
  const rest = t.dims.slice(1);
  const size = elementCount(rest);
  return {
    dtype: t.dtype,
    dims: [to - from, ...rest],
    data: t.data.subarray(from * size, to * size) as TensorOf<D>["data"],
  };
}

/**
 * Joins tensors along the first axis into new memory.
 * @throws ShapeError when there is none, or when the other axes differ.
 */
export function concatRows<D extends DType>(parts: readonly TensorOf<D>[]): TensorOf<D> {
  const [first] = parts;
  if (first === undefined) throw new ShapeError("concatRows: expected at least one tensor, got none.");
  const rest = first.dims.slice(1);
  let rows = 0;
  for (const part of parts) {
    if (!sameDims(part.dims.slice(1), rest)) {
      throw new ShapeError(`concatRows: expected rows of ${formatDims(rest)}, got ${formatDims(part.dims.slice(1))}.`);
    }
    rows += part.dims[0] ?? 0;
  }
  const data = new arrayOf[first.dtype](rows * elementCount(rest)) as TensorOf<D>["data"];
  let offset = 0;
  for (const part of parts) {
    (data as Uint8Array).set(part.data as Uint8Array, offset);
    offset += part.data.length;
  }
  return { dtype: first.dtype, dims: [rows, ...rest], data };
}

/** Rows by index, in that order, as new memory. @throws ShapeError for a row that there is not. */
export function takeRows<D extends DType>(t: TensorOf<D>, indices: ArrayLike<number>): TensorOf<D> {
  const [n = 0, ...rest] = t.dims;
  const size = elementCount(rest);
  const data = new arrayOf[t.dtype](indices.length * size) as TensorOf<D>["data"];
  for (let row = 0; row < indices.length; row++) {
    const index = indices[row] ?? -1;
    if (!(index >= 0 && index < n)) throw new ShapeError(`takeRows: expected rows from 0 to ${n - 1}, got ${index}.`);
    (data as Uint8Array).set(t.data.subarray(index * size, (index + 1) * size) as Uint8Array, row * size);
  }
  return { dtype: t.dtype, dims: [indices.length, ...rest], data };
}

/** The whole batch `times` times, one copy after the other. */
export function repeatRows<D extends DType>(t: TensorOf<D>, times: number): TensorOf<D> {
  return concatRows(Array.from({ length: times }, () => t));
}
