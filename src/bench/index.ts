/** @file Public door of `bench/`: a defence against an attack, counted; the plan of many. */
export { idsOf } from "../attacks/test-set.ts";
export type { RankCounts } from "./counts.ts";
export {
  type AttackedImages,
  type AttackImages,
  type Defence,
  type DefendedScores,
  type EvaluateOptions,
  type Evaluation,
  evaluate,
  type LabelledImages,
  type MeasuredImages,
  type WatchedBatch,
} from "./evaluate.ts";
export {
  type AttackPlan,
  type GridPlan,
  type InverterPlan,
  type ModelPlan,
  PLAN_SCHEMA,
  type Plan,
  type PurifierPlan,
  planSchema,
  type RepairPlan,
  type ScanPlan,
} from "./plan.ts";
export { type PlanPath, type ReadPlan, readPlan } from "./read-plan.ts";
