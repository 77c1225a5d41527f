/** @file Which images of a part are wanted: asked before anything is decoded, and obeyed by every reader alike. */
import { elementCount } from "../tensor/shape.ts";
import type { TensorOf } from "../tensor/tensor.ts";
import type { ImageIndex, LabelledImages, ReadOptions } from "./dataset.ts";

/** The rows that the reader's options ask for; `undefined` for all of them in order. */
export function chosenRows(index: ImageIndex, { rows }: ReadOptions): readonly number[] | undefined {
  if (rows === undefined) return undefined;
  const chosen = Array.from(rows(index));
  const wrong = chosen.find((row) => !(Number.isInteger(row) && row >= 0 && row < index.labels.length));
  if (wrong !== undefined) throw new RangeError(`internal: row ${wrong} of ${index.labels.length} images`);
  return chosen;
}

/** Images that lie in memory, or those of them that are asked for, copied in that order. */
export function takeRows(images: TensorOf<"uint8">, index: ImageIndex, options: ReadOptions): LabelledImages {
  const rows = chosenRows(index, options);
  if (rows === undefined) return { images, labels: index.labels };
  const rest = images.dims.slice(1);
  const size = elementCount(rest);
  const data = new Uint8Array(rows.length * size);
  for (const [to, from] of rows.entries()) data.set(images.data.subarray(from * size, (from + 1) * size), to * size);
  return { images: { dtype: "uint8", dims: [rows.length, ...rest], data }, labels: labelsAt(index.labels, rows) };
}

/** The labels of some rows. */
export function labelsAt(labels: Uint16Array, rows: readonly number[]): Uint16Array {
  return Uint16Array.from(rows, (row) => labels[row] ?? 0);
}
