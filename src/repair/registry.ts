/** @file Every repair by name. A method is in the house when it is in this table. */
import { adversarialRetraining } from "./adversarial-retraining.ts";
import { anp } from "./anp.ts";
import { finePruning } from "./fine-pruning.ts";
import { fineTuning } from "./fine-tuning.ts";
import type { RepairDescriptor } from "./repair.ts";

/** The repairs, by the name that each descriptor has. */
export const repairs = {
  "adversarial-retraining": adversarialRetraining,
  anp,
  "fine-pruning": finePruning,
  "fine-tuning": fineTuning,
} as const satisfies Record<string, RepairDescriptor>;
