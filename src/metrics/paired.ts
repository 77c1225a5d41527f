/** @file Tests of paired results: two methods on the same images. */
import { OptionError } from "../core/errors.ts";
import { binomialDensity } from "./beta.ts";
import { fairCoinTest } from "./certificate.ts";
import { normalCdf } from "./normal.ts";

/** p-values of McNemar's test. */
export interface McNemar {
  /** Two-sided, exact. */
  readonly p: number;
  /** Two-sided mid-p: half the probability of the table itself, less conservative. */
  readonly midP: number;
}

/**
 * McNemar's test: does one method get more images right than the other?
 * @param onlyFirst images that only the first gets right. @param onlySecond the reverse.
 * @throws OptionError when they are not counts.
 * @source Fagerland, Lydersen and Laake 2013, "The McNemar test for binary matched-pairs data".
 */
export function mcNemar(onlyFirst: number, onlySecond: number): McNemar {
  const total = onlyFirst + onlySecond;
  const p = fairCoinTest({ hits: onlyFirst, total });
  if (onlyFirst === onlySecond) return { p, midP: 1 };
  return { p, midP: p - binomialDensity(Math.min(onlyFirst, onlySecond), total, 0.5) };
}

/** Variants of Wilcoxon's test. */
export interface WilcoxonOptions {
  /** `greater`: differences tend to be positive. `two-sided` when left out. */
  readonly alternative?: "two-sided" | "greater" | undefined;
  /** `drop` forgets zero differences; `pratt` ranks them and then drops their ranks. `drop` when left out. */
  readonly zeros?: "drop" | "pratt" | undefined;
  /** `exact` counts all sign patterns: only without zeros and ties. */
  readonly distribution: "exact" | "normal";
  /** Moves the statistic half a step towards its mean, for the normal distribution. */
  readonly continuity?: boolean | undefined;
}

/** Rank sum and p-value of Wilcoxon's test. */
export interface Wilcoxon {
  /** Sum of the ranks of positive differences; the smaller of both signs when two-sided. */
  readonly statistic: number;
  readonly p: number;
}

/**
 * Wilcoxon's signed-rank test: are differences of pairs symmetric about 0?
 * @throws OptionError for `exact` with ties or zeros, or when no difference is left.
 * @source Wilcoxon 1945, "Individual comparisons by ranking methods"; Pratt 1959 for zeros.
 */
export function wilcoxon(
  differences: ArrayLike<number>,
  { alternative = "two-sided", zeros = "drop", distribution, continuity = false }: WilcoxonOptions,
): Wilcoxon {
  const all = Array.from(differences);
  const kept = zeros === "drop" ? all.filter((d) => d !== 0) : all;
  const { ranks, tieTerm } = rankAbsolute(kept);
  const positive = kept.reduce((sum, d, i) => sum + (d > 0 ? (ranks[i] ?? 0) : 0), 0);
  const negative = kept.reduce((sum, d, i) => sum + (d < 0 ? (ranks[i] ?? 0) : 0), 0);
  if (positive + negative === 0) throw new OptionError("wilcoxon: expected a difference other than 0, got none.");
  const statistic = alternative === "greater" ? positive : Math.min(positive, negative);
  if (distribution === "exact") {
    if (tieTerm > 0 || kept.length < all.length || all.includes(0)) {
      throw new OptionError('wilcoxon: expected no ties and no zeros for "exact", got some. Do use "normal".');
    }
    const upper = exactUpperTail(alternative === "greater" ? positive : Math.max(positive, negative), kept.length);
    return { statistic, p: alternative === "greater" ? upper : Math.min(2 * upper, 1) };
  }
  const n = kept.length;
  const z0 = kept.filter((d) => d === 0).length;
  const mean = (n * (n + 1) - z0 * (z0 + 1)) / 4;
  const variance = (n * (n + 1) * (2 * n + 1) - z0 * (z0 + 1) * (2 * z0 + 1) - tieTerm / 2) / 24;
  const step = alternative === "greater" ? 0.5 : Math.sign(positive - mean) / 2;
  const z = (positive - mean - (continuity ? step : 0)) / Math.sqrt(variance);
  return { statistic, p: alternative === "greater" ? normalCdf(-z) : Math.min(2 * normalCdf(-Math.abs(z)), 1) };
}

/** Ranks 1..n of the absolute values, ties share their mean; zeros count as ties only among the ranks they take. */
function rankAbsolute(values: readonly number[]): { ranks: Float64Array; tieTerm: number } {
  const order = values.map((value, i) => ({ size: Math.abs(value), i })).sort((a, b) => a.size - b.size);
  const ranks = new Float64Array(values.length);
  let tieTerm = 0;
  for (let from = 0; from < order.length; ) {
    const size = order[from]?.size;
    let to = from;
    while (order[to]?.size === size) to += 1;
    for (const { i } of order.slice(from, to)) ranks[i] = (from + to + 1) / 2;
    if (size !== 0) tieTerm += (to - from) ** 3 - (to - from);
    from = to;
  }
  return { ranks, tieTerm };
}

/** P(W >= w) when every one of the 2^n sign patterns of ranks 1..n is equally likely. */
function exactUpperTail(w: number, n: number): number {
  const most = (n * (n + 1)) / 2;
  const probability = new Float64Array(most + 1);
  probability[0] = 1;
  for (let rank = 1; rank <= n; rank++) {
    for (let sum = most; sum >= 0; sum--) {
      probability[sum] = ((probability[sum] ?? 0) + (sum >= rank ? (probability[sum - rank] ?? 0) : 0)) / 2;
    }
  }
  return probability.subarray(w).reduce((total, p) => total + p, 0);
}
