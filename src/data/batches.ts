/** @file Images in batches. */
import { rowsOf } from "../tensor/rows.ts";
import type { LabelledImages } from "./dataset.ts";

/** Some images of a split, in order. */
export interface Batch extends LabelledImages {
  /** Index of the first image within the whole. */
  readonly start: number;
}

/** Images in batches of `size`, the last one smaller where it does not fit. The tensors are views. */
export function* batchesOf({ images, labels }: LabelledImages, size: number): Generator<Batch> {
  for (let start = 0; start < labels.length; start += size) {
    const end = Math.min(start + size, labels.length);
    yield { start, images: rowsOf(images, start, end), labels: labels.subarray(start, end) };
  }
}
