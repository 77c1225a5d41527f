/** @file One defence against one attack, counted: clean, poisoned and attack accuracy under the same images and seed. */
import { idsOf, triggeredTestSet } from "../attacks/test-set.ts";
import type { Trigger } from "../attacks/trigger.ts";
import type { ImageId } from "../core/noise.ts";
import { attackSuccess, cleanAccuracy, poisonedAccuracy, untriggeredFloor } from "../metrics/accuracy.ts";
import type { Count } from "../metrics/count.ts";
import { auroc } from "../metrics/detection.ts";
import { concatRows, rowsOf, takeRows } from "../tensor/rows.ts";
import type { Float32Tensor } from "../tensor/tensor.ts";

/** Scores of one batch: class probabilities [N, K] after the defence, and how suspicious each image is. */
export interface DefendedScores {
  readonly scores: Float32Tensor;
  readonly suspicion: Float64Array;
}

/** A defence with its classifier, as a function of images and their ids. */
export type Defence = (images: Float32Tensor, ids: readonly ImageId[]) => Promise<DefendedScores>;

/** Labelled clean images. */
export interface LabelledImages {
  /** float32 [N, C, H, W] in [0, 1]. */
  readonly images: Float32Tensor;
  /** The class that each shows. */
  readonly labels: readonly number[];
}

/** What was counted. Every share keeps its counts, so that an interval can be given. */
export interface Evaluation {
  /** CA: clean images called by their label. */
  readonly cleanAccuracy: Count;
  /** PA: triggered images of other classes than their target called by their label. */
  readonly poisonedAccuracy: Count;
  /** ASR without and with images of the target class. */
  readonly attackSuccess: Count;
  readonly attackSuccessAllClasses: Count;
  /** Clean images of other classes called their target all the same: no ASR can be expected below it. */
  readonly floor: Count;
  /** How well suspicion tells triggered from clean images; NaN where it is constant. */
  readonly auroc: number;
  readonly suspicion: { readonly clean: Float64Array; readonly triggered: Float64Array };
}

/**
 * Measures a defence on clean images and on the same images with a trigger. Triggered images are rounded to 8 bits, as a
 * picture file would hold them.
 * Only classes that the trigger's label map concerns are triggered.
 * @param batch images in one call of the defence. @throws ShapeError when trigger and images differ in dims.
 */
export async function evaluate(
  defence: Defence,
  { images, labels }: LabelledImages,
  trigger: Trigger,
  { batch = 64 }: { readonly batch?: number } = {},
): Promise<Evaluation> {
  const triggered = await triggeredTestSet(trigger, { images, labels }, { batch });
  const clean = await defended(defence, images, batch);
  const dirty = await defended(defence, triggered.images, batch);
  const { labels: shown, targets } = triggered;
  const dirtySuspicion = dirty.suspicion.filter((_, i) => shown[i] !== targets[i]);
  return {
    cleanAccuracy: cleanAccuracy(clean.scores, labels),
    poisonedAccuracy: poisonedAccuracy(dirty.scores, shown, targets),
    attackSuccess: attackSuccess(dirty.scores, shown, targets),
    attackSuccessAllClasses: attackSuccess(dirty.scores, shown, targets, { includeTarget: true }),
    floor: untriggeredFloor(takeRows(clean.scores, triggered.indices), shown, targets),
    auroc: auroc(
      [...clean.suspicion, ...dirtySuspicion],
      [...clean.suspicion].map(() => false).concat([...dirtySuspicion].map(() => true)),
    ),
    suspicion: { clean: clean.suspicion, triggered: dirtySuspicion },
  };
}

async function defended(defence: Defence, images: Float32Tensor, batch: number): Promise<DefendedScores> {
  const parts: DefendedScores[] = [];
  const n = images.dims[0] ?? 0;
  for (let from = 0; from < n; from += batch) {
    const rows = rowsOf(images, from, Math.min(from + batch, n));
    parts.push(await defence(rows, idsOf(rows)));
  }
  return {
    scores: concatRows(parts.map(({ scores }) => scores)),
    suspicion: Float64Array.from(parts.flatMap(({ suspicion }) => [...suspicion])),
  };
}
