/** @file Confidence intervals of a share: Wilson for tables, Clopper-Pearson where a guarantee is claimed. */
import { betaQuantile } from "./beta.ts";
import { type Count, checkAlpha, checkCount } from "./count.ts";
import { normalQuantile } from "./normal.ts";

/** The shares, 0..1, that the data do not rule out. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** How sure, and on which side. */
export interface IntervalOptions {
  /** Probability of missing the true share; 0.05 when left out. */
  readonly alpha?: number | undefined;
  /** `lower` and `upper` put all of alpha on one side and leave the other at 1 or 0; `both` when left out. */
  readonly side?: "both" | "lower" | "upper" | undefined;
}

/**
 * Wilson's score interval: right on average, close to its nominal level also for small counts.
 * @param continuity corrects for counting in whole steps, which makes it wider.
 * @returns [0, 1] when nothing was counted. @throws OptionError for an impossible count or alpha.
 * @source Newcombe 1998, "Two-sided confidence intervals for the single proportion", methods 3 and 4.
 */
export function wilsonInterval(
  count: Count,
  { alpha = 0.05, side = "both", continuity = false }: IntervalOptions & { readonly continuity?: boolean } = {},
): Interval {
  checkCount(count);
  checkAlpha(alpha);
  const { hits, total: n } = count;
  if (n === 0) return { low: 0, high: 1 };
  const z = -normalQuantile(side === "both" ? alpha / 2 : alpha);
  const upper = (k: number): number => {
    if (k === n) return 1;
    const p = k / n;
    const step = continuity ? 1 : 0;
    const root = Math.sqrt(z * z + step * (2 - 1 / n) + 4 * p * (n * (1 - p) - step));
    return Math.min((2 * k + z * z + step + z * root) / (2 * (n + z * z)), 1);
  };
  const lower = (k: number): number => {
    if (k === 0) return 0;
    const p = k / n;
    const step = continuity ? 1 : 0;
    const root = Math.sqrt(z * z - step * (2 + 1 / n) + 4 * p * (n * (1 - p) + step));
    return Math.max((2 * k + z * z - step - z * root) / (2 * (n + z * z)), 0);
  };
  return { low: side === "upper" ? 0 : lower(hits), high: side === "lower" ? 1 : upper(hits) };
}

/**
 * Clopper and Pearson's exact interval: misses the true share with probability at most alpha, whatever it is.
 * @returns [0, 1] when nothing was counted. @throws OptionError for an impossible count or alpha.
 * @source Clopper and Pearson 1934, "The use of confidence or fiducial limits".
 */
export function clopperPearsonInterval(count: Count, { alpha = 0.05, side = "both" }: IntervalOptions = {}): Interval {
  checkCount(count);
  checkAlpha(alpha);
  const { hits, total } = count;
  const tail = side === "both" ? alpha / 2 : alpha;
  const lower = (k: number): number => (k === 0 ? 0 : betaQuantile(tail, k, total - k + 1));
  return { low: side === "upper" ? 0 : lower(hits), high: side === "lower" ? 1 : 1 - lower(total - hits) };
}
