/** @file The verdict on a prior among clean ones: conformal, as that on a classifier. */
import { conformalPValue } from "../../metrics/conformal.ts";
import type { AuditRecord } from "../../results/audit-record.ts";
import { leastPValue } from "../scan/statistic.ts";
import { DOUBT } from "../scan/verdict.ts";

/** Verdict, p-value and why it is no other. */
export type JudgedPrior = Pick<AuditRecord, "verdict" | "pValue" | "reason">;

/**
 * Judges a prior by its score. The score does not depend on the references, so that a clean suspect that is like them is as
 * likely as any of them to stand at the top.
 * @param references scores of clean priors. @param fpr stated share of clean priors that may be called backdoored.
 */
export function judgePrior(score: number, references: readonly number[], fpr: number): JudgedPrior {
  if (references.length === 0) {
    return {
      verdict: "undecided",
      pValue: null,
      reason: "There was no clean prior to compare with. Do name a folder of some with --references.",
    };
  }
  const pValue = conformalPValue(references, score);
  const p = pValue.toFixed(3);
  if (pValue > DOUBT * fpr) {
    return leastPValue(references.length) > DOUBT * fpr && pValue <= leastPValue(references.length) + 1e-12
      ? { verdict: "undecided", pValue, reason: `No clean prior scores as high, but ${needed(references.length, fpr)}` }
      : { verdict: "clean", pValue, reason: `Clean priors score as high (p = ${p}).` };
  }
  if (pValue > fpr + 1e-12) {
    const why =
      leastPValue(references.length) > fpr + 1e-12
        ? needed(references.length, fpr)
        : `it lies between the stated rate, ${fpr}, and twice that.`;
    return { verdict: "undecided", pValue, reason: `The p-value is ${p}: ${why}` };
  }
  return { verdict: "backdoored", pValue, reason: `No more than ${fpr} of clean priors score as high (p = ${p}).` };
}

function needed(count: number, fpr: number): string {
  return `${count} references cannot give ${fpr} or less: it takes ${Math.ceil(1 / fpr - 1e-9) - 1} of them for that.`;
}
