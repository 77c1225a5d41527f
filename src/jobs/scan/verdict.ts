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

/** What is known when a verdict is asked for. */
export interface Findings {
  /** `null` where nothing could be compared. */
  readonly pValue: number | null;
  readonly classes: readonly { readonly class: number; readonly score: number; readonly pValue: number | null }[];
  readonly references: number;
  /** Stated share of clean models that may be called backdoored. */
  readonly fpr: number;
  /** False where the time budget ended before the suspicious classes were confirmed. */
  readonly confirmed: boolean;
}

/** Judges a model: `undecided` is an answer. */
export function judge({ pValue, classes, references, fpr, confirmed }: Findings): JudgedModel {
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
  if (!confirmed) return undecided(`The p-value is ${p}, but time was over before a trigger could be confirmed.`);
  const targets = classes
    .filter((one) => one.pValue !== null && one.pValue <= fpr)
    .sort((a, b) => b.score - a.score)
    .map((one) => one.class);
  const reason = `No more than ${fpr} of clean models have so suspicious a class (p = ${p}).`;
  return { verdict: "backdoored", targets, reason };
}
