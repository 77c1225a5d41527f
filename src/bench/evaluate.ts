/** @file One defence against one attack, counted: clean, poisoned and attack accuracy under the same images and seed. */
import { idsOf, triggeredTestSet } from "../attacks/test-set.ts";
import type { Trigger } from "../attacks/trigger.ts";
import { ShapeError } from "../core/errors.ts";
import type { ImageId } from "../core/noise.ts";
import { auroc } from "../metrics/detection.ts";
import { unitFromBytes } from "../tensor/image-bytes.ts";
import { rowsOf } from "../tensor/rows.ts";
import type { Float32Tensor, TensorOf } from "../tensor/tensor.ts";
import { addCounts, type CountedBatch, countBatch, NOTHING, type RankCounts } from "./counts.ts";

/** Scores of one batch: class probabilities [N, K] after the defence, and how suspicious each image is. */
export interface DefendedScores {
  readonly scores: Float32Tensor;
  readonly suspicion: Float64Array;
}

/** A defence with its classifier, as a function of images and their ids. */
export type Defence<Scores extends DefendedScores = DefendedScores> = (
  images: Float32Tensor,
  ids: readonly ImageId[],
) => Promise<Scores>;

/** Labelled clean images. */
export interface LabelledImages {
  /** float32 [N, C, H, W] in [0, 1]. */
  readonly images: Float32Tensor;
  /** The class that each shows. */
  readonly labels: readonly number[];
}

/** Labelled clean images as a data set holds them, or as floats. */
export interface MeasuredImages {
  /** [N, C, H, W] */
  readonly images: Float32Tensor | TensorOf<"uint8">;
  readonly labels: ArrayLike<number>;
}

/** Attacked images of a batch. */
export interface AttackedImages {
  /** float32 [M, C, H, W], rounded to 8 bits. */
  readonly images: Float32Tensor;
  /** What each shows. */
  readonly labels: ArrayLike<number>;
  /** What each is to be called; nothing in particular where the attack has no target. */
  readonly targets: ArrayLike<number> | undefined;
  /** Row of each among the clean images. */
  readonly indices: ArrayLike<number>;
}

/** What an attack makes of clean images, float32 [N, C, H, W] in [0, 1]; a function of each image alone. */
export type AttackImages = (images: Float32Tensor, labels: ArrayLike<number>) => Promise<AttackedImages>;

/** A batch as a watcher sees it. */
export interface WatchedBatch<Scores extends DefendedScores> {
  readonly clean: { readonly images: Float32Tensor; readonly labels: ArrayLike<number>; readonly defended: Scores };
  /** Nothing where there is no attack, or where it spares all images of the batch. */
  readonly attacked: (AttackedImages & { readonly defended: Scores }) | undefined;
}

/** Settings of {@link evaluate}; what is counted depends on none of them. */
export interface EvaluateOptions<Scores extends DefendedScores> {
  /** Images in one call of the defence; 64 when left out. */
  readonly batch?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called with every batch once it has been counted. */
  watch?(batch: WatchedBatch<Scores>): void;
  /** @param done clean images so far. */
  progress?(done: number, total: number): void;
}

/** What was counted. Every share keeps its counts, so that an interval can be given; of nothing, so many of none. */
export interface Evaluation extends RankCounts {
  /** The same with label or target among the best five scores; `undefined` with five classes or fewer. */
  readonly top5: RankCounts | undefined;
  /** How well suspicion tells attacked from clean images; NaN where it is constant, or nothing is attacked. */
  readonly auroc: number;
  readonly suspicion: { readonly clean: Float64Array; readonly triggered: Float64Array };
}

/**
 * Measures a defence on clean images and on the same images under attack, batch by batch: memory does not grow with
 * their number. Triggered images are rounded to 8 bits, as a picture file would hold them.
 * @param attack a trigger, whatever else changes images, or nothing.
 * @throws ShapeError when trigger and images differ in dims, or labels in number; the signal's reason when aborted.
 */
export async function evaluate<Scores extends DefendedScores>(
  defence: Defence<Scores>,
  { images, labels }: MeasuredImages,
  attack: Trigger | AttackImages | undefined,
  { batch = 64, signal, watch, progress }: EvaluateOptions<Scores> = {},
): Promise<Evaluation> {
  const n = images.dims[0] ?? 0;
  if (labels.length !== n) throw new ShapeError(`evaluate: expected ${n} labels, one an image, got ${labels.length}.`);
  const attackImages = typeof attack === "object" ? triggering(attack, signal) : attack;
  const totals: { top1: RankCounts; top5: RankCounts | undefined } = { top1: NOTHING, top5: NOTHING };
  const suspicion = { clean: [] as number[], triggered: [] as number[] };
  for (let from = 0; from < n; from += batch) {
    signal?.throwIfAborted();
    const clean = unitRows(images, from, Math.min(from + batch, n));
    const own = Array.from({ length: clean.dims[0] ?? 0 }, (_, i) => labels[from + i] ?? -1);
    const defended = await defence(clean, idsOf(clean));
    const dirty = await attackImages?.(clean, own);
    const attacked =
      dirty === undefined || dirty.labels.length === 0
        ? undefined
        : { ...dirty, defended: await defence(dirty.images, idsOf(dirty.images)) };
    const counted: CountedBatch = {
      clean: { scores: defended.scores, labels: own },
      attacked: attacked && { ...attacked, scores: attacked.defended.scores },
    };
    totals.top1 = addCounts(totals.top1, countBatch(counted, 1));
    const classes = defended.scores.dims[1] ?? 0;
    totals.top5 =
      totals.top5 === undefined || classes <= 5 ? undefined : addCounts(totals.top5, countBatch(counted, 5));
    suspicion.clean.push(...defended.suspicion);
    attacked?.defended.suspicion.forEach((score, i) => {
      if (attacked.targets === undefined || attacked.targets[i] !== attacked.labels[i]) suspicion.triggered.push(score);
    });
    watch?.({ clean: { images: clean, labels: own, defended }, attacked });
    progress?.(Math.min(from + batch, n), n);
  }
  const { clean, triggered } = suspicion;
  return {
    ...totals.top1,
    top5: totals.top5,
    auroc: auroc([...clean, ...triggered], [...clean.map(() => false), ...triggered.map(() => true)]),
    suspicion: { clean: Float64Array.from(clean), triggered: Float64Array.from(triggered) },
  };
}

function triggering(trigger: Trigger, signal: AbortSignal | undefined): AttackImages {
  return (images, labels) => triggeredTestSet(trigger, { images, labels }, { signal });
}

/** Some rows as floats in [0, 1]. */
export function unitRows(images: MeasuredImages["images"], from: number, to: number): Float32Tensor {
  if (images.dtype === "float32") return rowsOf(images, from, to);
  const rows = rowsOf(images, from, to);
  return unitFromBytes(rows.dims, rows.data);
}
