/** @file Which of the given images every model is looked at with, and which references learn from: never the same ones. */
import { drawnOrder } from "../../core/noise.ts";
import { rowsOf, takeRows } from "../../tensor/rows.ts";
import type { ClassifiedImages } from "../training/host.ts";

/** Images that models are looked at with, at most, and as a share of all. */
export const MOST_PROBE = 256;
const PROBE_SHARE = 1 / 3;
/** Fewer images make no references. */
export const LEAST_IMAGES = 200;

/** Rows of both parts. */
export interface SplitRows {
  readonly probe: readonly number[];
  /** None where there are too few images. */
  readonly learn: readonly number[];
}

/** Divides rows in an order that the seed draws. */
export function splitRows(
  count: number,
  { seed, learn = count }: { readonly seed: number; readonly learn?: number | undefined },
): SplitRows {
  const order = drawnOrder(Array(count).keys(), { seed, stream: "scan/images", items: count });
  if (count < LEAST_IMAGES) return { probe: order.slice(0, MOST_PROBE), learn: [] };
  const size = Math.min(MOST_PROBE, Math.floor(count * PROBE_SHARE));
  return { probe: order.slice(0, size), learn: order.slice(size, size + learn) };
}

/** The first of some images, and no more than so many. */
export function firstImages({ images, labels }: ClassifiedImages, most = labels.length): ClassifiedImages {
  return { images: rowsOf(images, 0, Math.min(most, labels.length)), labels: Array.from(labels).slice(0, most) };
}

/** Some rows of images with their labels. */
export function takeImages({ images, labels }: ClassifiedImages, rows: readonly number[]): ClassifiedImages {
  return { images: takeRows(images, rows), labels: Int32Array.from(rows, (row) => labels[row] ?? -1) };
}
