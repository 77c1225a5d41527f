/** @file What a model does before or after a repair: on clean images, and on triggered ones where there is a trigger. */
import type { Trigger } from "../../attacks/trigger.ts";
import type { Classifier } from "../../classifiers/classifier.ts";
import { cleanAccuracy } from "../../metrics/accuracy.ts";
import type { Count } from "../../metrics/count.ts";
import type { RepairMeasure } from "../../results/repair-record.ts";
import { unitFromBytes } from "../../tensor/image-bytes.ts";
import { rowsOf } from "../../tensor/rows.ts";
import { measureBackdoor } from "../attack/measure.ts";
import { measured, shareOf } from "../attack/record.ts";
import type { ClassifiedImages } from "../training/host.ts";

/** Images that are in memory as floats at a time. */
const CHUNK = 256;

/**
 * Measures a classifier on test images. @throws ShapeError when classifier, trigger and images do not fit; the signal's
 * reason when aborted.
 */
export async function measureRepair(
  classifier: Classifier,
  test: ClassifiedImages,
  { trigger, signal }: { readonly trigger?: Trigger | undefined; readonly signal?: AbortSignal | undefined },
): Promise<RepairMeasure> {
  if (trigger === undefined) {
    const clean = await measureClean(classifier, test, signal);
    return {
      cleanAccuracy: shareOf(clean),
      poisonedAccuracy: null,
      attackSuccessRate: null,
      poisonedAccuracyAllClasses: null,
      attackSuccessRateAllClasses: null,
      floor: null,
      counts: { cleanAccuracy: clean },
    };
  }
  const {
    noiseAccuracy: _noise,
    crossAccuracy: _cross,
    ...shares
  } = measured(await measureBackdoor(classifier, trigger, { ...test, signal }));
  return shares;
}

async function measureClean(
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
