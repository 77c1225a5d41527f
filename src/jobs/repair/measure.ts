/** @file What a model does before or after a repair: on clean images, and on triggered ones where there is a trigger. */
import type { Trigger } from "../../attacks/trigger.ts";
import type { Classifier } from "../../classifiers/classifier.ts";
import type { RepairMeasure } from "../../results/repair-record.ts";
import { measureBackdoor } from "../attack/measure.ts";
import { measured, shareOf } from "../attack/record.ts";
import type { ClassifiedImages } from "../training/host.ts";
import { measureClean } from "../training/measure-clean.ts";

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
