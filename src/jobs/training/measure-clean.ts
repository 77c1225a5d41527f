/** @file How many images a classifier calls by their label, however many they are. */
import type { Classifier } from "../../classifiers/classifier.ts";
import { cleanAccuracy } from "../../metrics/accuracy.ts";
import type { Count } from "../../metrics/count.ts";
import { unitFromBytes } from "../../tensor/image-bytes.ts";
import { rowsOf } from "../../tensor/rows.ts";
import type { ClassifiedImages } from "./host.ts";

/** Images that are in memory as floats at a time. */
const CHUNK = 256;

/** Counts clean images called by their label. @throws ShapeError when they do not fit; the signal's reason when aborted. */
export async function measureClean(
  classifier: Classifier,
  { images, labels }: ClassifiedImages,
  signal: AbortSignal | undefined,
): Promise<Count> {
  let hits = 0;
  for (let from = 0; from < labels.length; from += CHUNK) {
    const rows = rowsOf(images, from, Math.min(from + CHUNK, labels.length));
    const { scores } = await classifier.classify(unitFromBytes(rows.dims, rows.data), signal);
    const own = Array.from({ length: rows.dims[0] ?? 0 }, (_, i) => labels[from + i] ?? -1);
    hits += cleanAccuracy(scores, own).hits;
  }
  return { hits, total: labels.length };
}
