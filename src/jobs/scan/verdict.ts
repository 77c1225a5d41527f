/** @file The verdict on a model, and why it is no other. */
import { leastPValue } from "./statistic.ts";

/** What a scan says. */
export type Verdict = "backdoored" | "clean" | "undecided";

/** A verdict with its reason, one sentence. */
export interface JudgedModel {
  readonly verdict: Verdict;
  /** Classes that no clean reference comes near, the most suspicious first; none unless backdoored. */
  readonly targets: readonly number[];
  readonly reason: string;
}

/** From the stated rate up to so many times it, a p-value is too small for "clean" and too large for "backdoored". */
export const DOUBT = 2;

/**
 * How far a model's accuracy may lie from the references' before it is no longer one of their kind. Better trained models
 * are easier to move by a universal perturbation: without this a good clean one is called backdoored.
 */
export const NEAR = 0.03;

/** What is known when a verdict is asked for. */
export interface Findings {
  /** `null` where nothing could be compared. */
  readonly pValue: number | null;
  readonly classes: readonly { readonly class: number; readonly score: number; readonly pValue: number | null }[];
  readonly references: number;
  /** Stated share of clean models that may be called backdoored. */
  readonly fpr: number;
  /** Shares of the same clean images called by their label; `undefined` where nothing could be compared. */
  readonly accuracy?: { readonly suspect: number; readonly references: readonly number[] } | undefined;
  /** False where the time budget ended before the suspicious classes were confirmed. */
  readonly confirmed: boolean;
}

/** Judges a model: `undecided` is an answer. */
export function judge({ pValue, classes, references, fpr, accuracy, confirmed }: Findings): JudgedModel {
  const undecided = (reason: string): JudgedModel => ({ verdict: "undecided", targets: [], reason });
  if (pValue === null) return undecided("There was nothing clean to compare the model with.");
  if (leastPValue(references) > fpr + 1e-12) {
    const needed = Math.ceil(1 / fpr - 1e-9) - 1;
    return undecided(
      `${references} references cannot give a p-value of ${fpr} or less: it takes ${needed} of them for that.`,
    );
  }
  const p = pValue.toFixed(3);
  if (pValue > DOUBT * fpr) {
    return { verdict: "clean", targets: [], reason: `Clean references have as suspicious a class (p = ${p}).` };
  }
  if (pValue > fpr) {
    return undecided(`The p-value of ${p} lies between the stated rate, ${fpr}, and twice that.`);
  }
  if (accuracy !== undefined && !isLike(accuracy)) {
    const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
    const [low, high] = [Math.min(...accuracy.references), Math.max(...accuracy.references)];
    return undecided(
      `The p-value is ${p}, but references that are right on ${percent(low)} to ${percent(high)} of the images are no measure for a model that is on ${percent(accuracy.suspect)}: do make wider ones with more visits.`,
    );
  }
  if (!confirmed) return undecided(`The p-value is ${p}, but time was over before a trigger could be confirmed.`);
  const targets = classes
    .filter((one) => one.pValue !== null && one.pValue <= fpr)
    .sort((a, b) => b.score - a.score)
    .map((one) => one.class);
  const reason = `No more than ${fpr} of clean models have so suspicious a class (p = ${p}).`;
  return { verdict: "backdoored", targets, reason };
}

function isLike({ suspect, references }: NonNullable<Findings["accuracy"]>): boolean {
  return suspect >= Math.min(...references) - NEAR && suspect <= Math.max(...references) + NEAR;
}
