/** @file How well a score separates dirty images (positives) from clean ones. Higher scores mean dirtier. */
import { OptionError, ShapeError } from "../core/errors.ts";

/** Rates reached by every threshold, from "flag nothing" to "flag everything". */
export interface RocCurve {
  /** False-positive rate of each point, ascending. */
  readonly fpr: Float64Array;
  /** True-positive rate of each point, ascending. */
  readonly tpr: Float64Array;
  /** Score from which on images are flagged; Infinity for the first point. */
  readonly thresholds: Float64Array;
}

/**
 * The receiver operating characteristic: one point per distinct score, none interpolated.
 * @param positive truthy where the image is dirty. @returns NaN rates for a class that has no image.
 * @throws ShapeError when lengths differ, OptionError when a score is NaN.
 * @source Fawcett 2006, "An introduction to ROC analysis", Algorithm 1.
 */
export function rocCurve(scores: ArrayLike<number>, positive: ArrayLike<number | boolean>): RocCurve {
  const points = countAbove(scores, positive);
  const last = points.at(-1) ?? { falsePositives: 0, truePositives: 0, threshold: 0 };
  return {
    fpr: Float64Array.from(points, ({ falsePositives }) => falsePositives / last.falsePositives),
    tpr: Float64Array.from(points, ({ truePositives }) => truePositives / last.truePositives),
    thresholds: Float64Array.from(points, ({ threshold }) => threshold),
  };
}

/**
 * Area under the ROC curve: the probability that a dirty image scores higher than a clean one, ties counting one half.
 * @returns NaN when a class has no image. @throws as {@link rocCurve}.
 * @source Hanley and McNeil 1982, "The meaning and use of the area under a ROC curve".
 */
export function auroc(scores: ArrayLike<number>, positive: ArrayLike<number | boolean>): number {
  const points = countAbove(scores, positive);
  let area = 0; // in units of pairs, so that halves are exact
  let before = { falsePositives: 0, truePositives: 0 };
  for (const point of points) {
    area += ((point.falsePositives - before.falsePositives) * (point.truePositives + before.truePositives)) / 2;
    before = point;
  }
  return area / (before.falsePositives * before.truePositives);
}

/**
 * Average precision: precision at each threshold, weighted by the recall it adds; equal scores are one threshold.
 * @returns NaN when there is no dirty image. @throws as {@link rocCurve}.
 * @source Manning, Raghavan and Schütze 2008, "Introduction to information retrieval", section 8.4, without interpolation.
 */
export function averagePrecision(scores: ArrayLike<number>, positive: ArrayLike<number | boolean>): number {
  let sum = 0;
  let found = 0;
  for (const { falsePositives, truePositives } of countAbove(scores, positive).slice(1)) {
    sum += ((truePositives - found) * truePositives) / (truePositives + falsePositives);
    found = truePositives;
  }
  return sum / found;
}

/** The highest true-positive rate among thresholds whose false-positive rate is at most `fpr`. */
export function tprAtFpr(curve: RocCurve, fpr: number): number {
  return curve.tpr.reduce((best, tpr, i) => ((curve.fpr[i] ?? 1) <= fpr ? Math.max(best, tpr) : best), 0);
}

/** The lowest false-positive rate among thresholds whose true-positive rate is at least `tpr`. */
export function fprAtTpr(curve: RocCurve, tpr: number): number {
  return curve.fpr.reduce((best, fpr, i) => ((curve.tpr[i] ?? 0) >= tpr ? Math.min(best, fpr) : best), 1);
}

interface Point {
  readonly threshold: number;
  readonly falsePositives: number;
  readonly truePositives: number;
}

/** How many clean and dirty images score at least each distinct score, highest first, after the point of none. */
function countAbove(scores: ArrayLike<number>, positive: ArrayLike<number | boolean>): Point[] {
  if (scores.length !== positive.length) {
    throw new ShapeError(`detection: expected one label per score, got ${positive.length} for ${scores.length}.`);
  }
  const items = Array.from(scores, (score, i) => ({ score, positive: Boolean(positive[i]) }));
  if (items.some(({ score }) => Number.isNaN(score))) throw new OptionError("scores: expected numbers, got NaN.");
  items.sort((a, b) => (a.score < b.score ? 1 : a.score > b.score ? -1 : 0));
  const points: Point[] = [{ threshold: Number.POSITIVE_INFINITY, falsePositives: 0, truePositives: 0 }];
  let [falsePositives, truePositives] = [0, 0];
  items.forEach((item, i) => {
    if (item.positive) truePositives += 1;
    else falsePositives += 1;
    if (items[i + 1]?.score !== item.score) points.push({ threshold: item.score, falsePositives, truePositives });
  });
  return points;
}
