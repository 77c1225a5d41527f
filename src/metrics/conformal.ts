/** @file Split-conformal thresholds: how to flag at most a stated share of clean images, without assuming a distribution. */
import { OptionError } from "../core/errors.ts";
import { checkAlpha } from "./count.ts";

/** A threshold on a score, with where it comes from. */
export interface ConformalThreshold {
  /** Scores strictly above it are flagged; Infinity when the calibration set is too small for this rate. */
  readonly threshold: number;
  /** Which order statistic it is, 1..n; n + 1 when there are too few. */
  readonly rank: number;
}

/**
 * The threshold above which a fresh clean score falls with probability at most `alpha`.
 * @param calibration scores of clean images that nothing was tuned on. @param alpha stated false-positive rate.
 * @throws OptionError when alpha is not between 0 and 1, or a score is NaN.
 * @source Vovk, Gammerman and Shafer 2005, "Algorithmic learning in a random world"; Lei et al. 2018, "Distribution-free
 * predictive inference for regression", Algorithm 2: the ceil((n+1)(1-alpha))-th smallest score.
 */
export function conformalThreshold(calibration: ArrayLike<number>, alpha: number): ConformalThreshold {
  checkAlpha(alpha);
  const sorted = ascending(calibration);
  // (n+1)(1-alpha) of 100 scores and alpha 0.42 is 58.000000000000007: rounding must not cost a rank.
  const rank = Math.ceil((sorted.length + 1) * (1 - alpha) - 1e-9);
  return { rank, threshold: sorted[rank - 1] ?? Number.POSITIVE_INFINITY };
}

/**
 * The share of scores, the tested one included, that are at least as large: uniform on clean images, small on others.
 * @source Vovk, Gammerman and Shafer 2005, p. 25.
 */
export function conformalPValue(calibration: ArrayLike<number>, score: number): number {
  const atLeast = Array.from(calibration).filter((value) => value >= score).length;
  return (1 + atLeast) / (calibration.length + 1);
}

/**
 * The q-quantile with linear interpolation between order statistics (type 7, NumPy's default).
 * @param q 0..1. @throws OptionError without values, for NaN among them, or for q outside 0..1.
 * @source Hyndman and Fan 1996, "Sample quantiles in statistical packages", definition 7.
 */
export function quantile(values: ArrayLike<number>, q: number): number {
  if (values.length === 0) throw new OptionError("quantile: expected at least one value, got none.");
  if (!(q >= 0 && q <= 1)) throw new OptionError(`quantile: expected q from 0 to 1, got ${q}.`);
  const sorted = ascending(values);
  const position = q * (sorted.length - 1);
  const below = Math.floor(position);
  const low = sorted[below] ?? Number.NaN;
  const high = sorted[Math.min(below + 1, sorted.length - 1)] ?? low;
  return low + (position - below) * (high - low);
}

function ascending(values: ArrayLike<number>): Float64Array {
  const sorted = Float64Array.from(values).sort();
  if (sorted.some(Number.isNaN)) throw new OptionError("scores: expected numbers, got NaN among them.");
  return sorted;
}
