/** @file The classes of one model whose triggers stand out: the published rule, without any clean model to compare with. */
import { type Anomaly, anomaly } from "../metrics/anomaly.ts";
import type { Inversion, Statistic } from "./inverter.ts";
import { successOf } from "./trigger.ts";

/** Fewer classes have no median worth the name. */
export const LEAST_CLASSES = 5;

/** Classes that stand out. */
export interface Outliers {
  /** Deviations of the most suspicious class from the median. */
  readonly index: number;
  /** Classes by more than two deviations on the suspicious side, the farthest first. */
  readonly flagged: readonly number[];
}

/**
 * The outliers among inversions, one a class: norms that are much smaller than the median, or successes that are much
 * higher. On its own no verdict: it flags clean models and misses backdoors, see `docs/methods/neural-cleanse.md`.
 * @returns `undefined` where the rule says nothing: with fewer than five classes, without other images to count on, or when
 * most classes are equal.
 * @source Wang et al. 2019, "Neural Cleanse", section V-A
 */
export function outliersOf(inversions: readonly Inversion[], statistic: Statistic): Outliers | undefined {
  const values = inversions.map(({ norms, success }) =>
    statistic === "success" ? -successOf({ success }) : norms[statistic],
  );
  if (values.length < LEAST_CLASSES || !values.every(Number.isFinite)) return undefined;
  const found: Anomaly = anomaly(values);
  if (found.mad === 0) return undefined;
  return { index: found.index, flagged: found.flagged.map((i) => inversions[i]?.target ?? -1) };
}
