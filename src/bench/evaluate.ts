/** @file One defence against one attack, counted: clean, poisoned and attack accuracy under the same images and seed. */
import { applyTrigger, type Trigger } from "../attacks/trigger.ts";
import { type ImageId, imageId } from "../core/noise.ts";
import { attackSuccess, cleanAccuracy, poisonedAccuracy, untriggeredFloor } from "../metrics/accuracy.ts";
import type { Count } from "../metrics/count.ts";
import { auroc } from "../metrics/detection.ts";
import { bytesFromUnit, unitFromBytes } from "../tensor/image-bytes.ts";
import { concatRows, rowsOf } from "../tensor/rows.ts";
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
  /** PA: triggered images of other classes than the target called by their label. */
  readonly poisonedAccuracy: Count;
  /** ASR without and with images of the target class. */
  readonly attackSuccess: Count;
  readonly attackSuccessAllClasses: Count;
  /** Clean images of other classes called the target all the same: no ASR can be expected below it. */
  readonly floor: Count;
  /** How well suspicion tells triggered from clean images; NaN where it is constant. */
  readonly auroc: number;
  readonly suspicion: { readonly clean: Float64Array; readonly triggered: Float64Array };
}

/**
 * Measures a defence on clean images and on the same images with a trigger. Triggered images are rounded to 8 bits, as a
 * picture file would hold them.
 * @param batch images in one call of the defence. @throws ShapeError when trigger and images differ in dims.
 */
export async function evaluate(
  defence: Defence,
  { images, labels }: LabelledImages,
  trigger: Trigger,
  { batch = 64 }: { readonly batch?: number } = {},
): Promise<Evaluation> {
  const triggered = applyTrigger(trigger, images);
  const clean = await defended(defence, images, batch);
  const dirty = await defended(defence, unitFromBytes(triggered.dims, bytesFromUnit(triggered)), batch);
  const { target } = trigger;
  const isOther = labels.map((label) => label !== target);
  const dirtySuspicion = dirty.suspicion.filter((_, i) => isOther[i]);
  return {
    cleanAccuracy: cleanAccuracy(clean.scores, labels),
    poisonedAccuracy: poisonedAccuracy(dirty.scores, labels, target),
    attackSuccess: attackSuccess(dirty.scores, labels, target),
    attackSuccessAllClasses: attackSuccess(dirty.scores, labels, target, { includeTarget: true }),
    floor: untriggeredFloor(clean.scores, labels, target),
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

/** The ids that these images have as 8-bit pictures. */
export function idsOf(images: Float32Tensor): ImageId[] {
  const dims = images.dims.slice(1);
  return Array.from({ length: images.dims[0] ?? 0 }, (_, i) => imageId(dims, bytesFromUnit(rowsOf(images, i, i + 1))));
}
