/** @file Adding slices of a value to the positions that they were taken from: the inverse of choosing along an axis. */
import { elementCount } from "../../tensor/shape.ts";
import { int64 } from "../../tensor/tensor.ts";
import { string } from "../builder.ts";
import type { ValueName } from "../ir.ts";
import { at } from "./at.ts";
import { applyAdjoint, choiceMatrix } from "./axis-matrix.ts";
import type { Writer } from "./writer.ts";

/** A choice matrix of more values than this is not written; scattering takes its place. */
const MOST_MATRIX_VALUES = 2 ** 20;

/** Where slices go: `dy` has `dims`, and its slices along `axis` belong to positions of an axis of `length`. */
export interface Placement {
  readonly dims: readonly number[];
  readonly axis: number;
  readonly length: number;
}

/** The gradient of a choice of constant positions along an axis: a pad, a small matrix product, or a scatter. */
export function placeAt(w: Writer, dy: ValueName, indices: readonly number[], placement: Placement): ValueName {
  const { dims, axis, length } = placement;
  const start = indices[0] ?? 0;
  if (indices.every((index, i) => index === start + i)) {
    const alone = (count: number): number[] => dims.map((_, i) => (i === axis ? count : 0));
    return w.pad(dy, alone(start), alone(length - start - indices.length));
  }
  if (indices.length * length <= MOST_MATRIX_VALUES) {
    return applyAdjoint(w, dy, { matrix: choiceMatrix(indices, length), dims, axis });
  }
  return scatterRows(w, dy, w.builder.constant(int64([indices.length], indices)), placement);
}

/** The gradient of a choice of computed positions, int64 [I]; a position that occurs twice gets both. */
export function scatterRows(w: Writer, dy: ValueName, indices: ValueName, placement: Placement): ValueName {
  const { dims, axis, length } = placement;
  const [lead, count, trail] = [elementCount(dims.slice(0, axis)), at(dims, axis), elementCount(dims.slice(axis + 1))];
  const rows = lead === 1 ? dy : w.transpose(w.reshape(dy, [lead, count, trail]), [1, 0, 2]);
  const sums = w.op(
    "ScatterND",
    [w.filled([length, lead * trail]), w.reshape(indices, [count, 1]), w.reshape(rows, [count, lead * trail])],
    { reduction: string("add") },
  );
  const ordered = lead === 1 ? sums : w.transpose(w.reshape(sums, [length, lead, trail]), [1, 0, 2]);
  return w.reshape(
    ordered,
    dims.map((dim, i) => (i === axis ? length : dim)),
  );
}
