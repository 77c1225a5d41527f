/** @file A share is never stored alone: hits and total travel together, so that an interval can always be given. */
import { OptionError } from "../core/errors.ts";

/** So many of so many. */
export interface Count {
  readonly hits: number;
  readonly total: number;
}

/** The share, 0..1; NaN (which JSON writes as null) when there was nothing to count. */
export function rate({ hits, total }: Count): number {
  return total === 0 ? Number.NaN : hits / total;
}

/**
 * Refuses what is not a count.
 * @throws OptionError unless hits and total are integers with 0 <= hits <= total.
 */
export function checkCount({ hits, total }: Count): void {
  if (!Number.isSafeInteger(hits) || !Number.isSafeInteger(total) || hits < 0 || hits > total) {
    throw new OptionError(`count: expected integers with 0 <= hits <= total, got ${hits} of ${total}.`);
  }
}

/**
 * Refuses what is not an error rate.
 * @throws OptionError unless 0 < alpha < 1.
 */
export function checkAlpha(alpha: number): void {
  if (!(alpha > 0 && alpha < 1)) throw new OptionError(`alpha: expected a number between 0 and 1, got ${alpha}.`);
}
