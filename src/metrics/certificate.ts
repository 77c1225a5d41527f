/** @file The two decisions of randomized smoothing, from counts of noisy predictions. */

import { incompleteBeta } from "./beta.ts";
import { type Count, checkCount } from "./count.ts";
import { clopperPearsonInterval } from "./intervals.ts";
import { normalQuantile } from "./normal.ts";

/** What can be guaranteed for one image. */
export interface Certificate {
  /** Lower bound of the probability of the winning class under noise. */
  readonly lower: number;
  /** L2 radius, in the units of sigma, within which the prediction cannot change; 0 when abstained. */
  readonly radius: number;
  /** The bound is below 1/2: nothing can be said. */
  readonly abstained: boolean;
}

/**
 * The radius that holds with probability 1 - alpha when `hits` of `total` noisy copies were called the winner.
 * @param sigma deviation of the noise. @throws OptionError for an impossible count or alpha.
 * @source Cohen, Rosenfeld and Kolter 2019, "Certified adversarial robustness via randomized smoothing", CERTIFY.
 */
export function certify(
  count: Count,
  { alpha, sigma }: { readonly alpha: number; readonly sigma: number },
): Certificate {
  const { low: lower } = clopperPearsonInterval(count, { alpha, side: "lower" });
  const abstained = lower < 0.5;
  return { lower, abstained, radius: abstained ? 0 : sigma * normalQuantile(lower) };
}

/**
 * Two-sided p-value of a fair coin that showed `hits` heads in `total` throws; PREDICT abstains when it exceeds alpha.
 * @param count hits of the winner of (winner + runner-up). @throws OptionError for an impossible count.
 * @source Cohen, Rosenfeld and Kolter 2019, PREDICT; Hung and Fithian 2019, "Rank verification".
 */
export function fairCoinTest(count: Count): number {
  checkCount(count);
  const { hits, total } = count;
  const fewer = Math.min(hits, total - hits);
  if (2 * fewer === total) return 1;
  return Math.min(2 * incompleteBeta(0.5, total - fewer, fewer + 1), 1);
}
