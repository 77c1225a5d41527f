/** @file Purifiers as columns, and the column without a defence. */
import type { PurifierPlan } from "../../../bench/plan.ts";
import { OptionError } from "../../../core/errors.ts";
import { lookUp } from "../../../core/names.ts";
import type { PurifierDescriptor } from "../../../purify/purifier.ts";
import { purifiers } from "../../../purify/registry.ts";
import { planVotes } from "../../votes.ts";
import { NONE, requireNothing } from "../resolve.ts";
import type { Column } from "./column.ts";

/** @throws OptionError for an unknown purifier, preset or option, one out of range, or a precision of no net. */
export function purifierColumn(plan: PurifierPlan): Column {
  const { name, preset, options = {}, votes, precision, answer = "purified" } = plan;
  if (name === NONE) {
    requireNothing("purifier", { preset, options, votes, precision, answer: plan.answer });
    return {
      name,
      needsPrior: false,
      precision: "f32",
      calibration: "none",
      searches: false,
      complete: async () => ({ kind: "none", name: NONE, preset: null }),
    };
  }
  const descriptor: PurifierDescriptor = lookUp<PurifierDescriptor>("purifier", name, purifiers);
  const chosen = planVotes(descriptor, { preset, options, votes });
  const needsPrior = descriptor.needs.prior;
  if (precision !== undefined && !needsPrior) {
    throw new OptionError(`${name}: expected no precision for a purifier without a network, got ${precision}.`);
  }
  return {
    name,
    needsPrior,
    precision: precision ?? "f32",
    calibration: answer === "verdict" ? "needed" : "optional",
    searches: false,
    complete: async () => ({
      kind: "purifier",
      name,
      preset: chosen.preset,
      votes: chosen.votes.map((set) => ({ ...set })),
      answer,
    }),
  };
}
