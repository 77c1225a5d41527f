/** @file Which class of a model is suspiciously easy to reach: outliers among the sizes of reversed triggers. */
import { OptionError } from "../core/errors.ts";

/** Scale that makes a median absolute deviation a standard deviation, for normal distributions. */
const CONSISTENT = 1.4826;
/** Deviations from which on a class is an outlier. */
const OUTLIER = 2;

/** Outliers among norms. */
export interface Anomaly {
  readonly median: number;
  /** 1.4826 times the median absolute deviation. */
  readonly mad: number;
  /** How many such deviations the smallest norm lies from the median; 0 when all are equal. */
  readonly index: number;
  /** Classes below the median by more than two deviations, smallest norm first. */
  readonly flagged: readonly number[];
}

/**
 * Finds the classes whose trigger is smaller than those of the others. With fewer than about five classes, or when most norms
 * are equal (a deviation of 0), the index says nothing.
 * @param norms one for each class, finite. @param median of an even count: the mean of the two in the middle, or the lower
 * one as common code takes. @throws OptionError without norms, or when one is not finite.
 * @source Wang et al. 2019, "Neural Cleanse", section V-A.
 */
export function anomaly(
  norms: ArrayLike<number>,
  { median: rule = "mean" }: { readonly median?: "mean" | "lower" } = {},
): Anomaly {
  const values = Array.from(norms);
  if (values.length === 0 || !values.every(Number.isFinite)) {
    throw new OptionError(`anomaly: expected finite norms, one a class, got ${values.join(", ") || "none"}.`);
  }
  const middle = medianOf(values, rule);
  const mad =
    CONSISTENT *
    medianOf(
      values.map((norm) => Math.abs(norm - middle)),
      rule,
    );
  const deviations = (norm: number): number => (norm === middle ? 0 : Math.abs(norm - middle) / mad);
  const flagged = [...values.keys()]
    .filter((c) => (values[c] ?? 0) <= middle && deviations(values[c] ?? middle) > OUTLIER)
    .sort((a, b) => (values[a] ?? 0) - (values[b] ?? 0));
  return { median: middle, mad, index: deviations(Math.min(...values)), flagged };
}

/** The median; of an even count the mean of the two in the middle, or the lower one. NaN of nothing. */
export function medianOf(values: readonly number[], rule: "mean" | "lower" = "mean"): number {
  const sorted = [...values].sort((a, b) => a - b);
  const lower = sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
  const upper = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  return rule === "lower" ? lower : (lower + upper) / 2;
}
