/** @file Public door of `attacks/`: triggers as data and as folders, and the attacks that plant them. */
export {
  type AttackContext,
  type AttackDescriptor,
  type AttackNeeds,
  type AttackPreset,
  type BatchState,
  type ComposedBatch,
  type ComposingAttack,
  defineAttack,
  type EvasionAttack,
  type PoisonedRows,
  type PoisoningAttack,
  type PoisonRun,
  type PreparedAttack,
  type Threat,
  type TrainingBatch,
  type TrainingImages,
} from "./attack.ts";
export { triggerKinds } from "./kinds/registry.ts";
export { type LabelMap, labelMapOf, labelOptions, singleTarget, targetOf } from "./label-map.ts";
export { type DataShape, misfit } from "./needs.ts";
export { openTrigger } from "./open-trigger.ts";
export { poisonedSet } from "./poison.ts";
export { attacks } from "./registry.ts";
export { type CleanImages, controlTestSet, idsOf, type TriggeredImages, triggeredTestSet } from "./test-set.ts";
export type {
  Apply,
  Control,
  ImageShape,
  Trigger,
  TriggerArrays,
  TriggerBody,
  TriggerContext,
  TriggerKind,
  TriggerParts,
  TriggerRecord,
} from "./trigger.ts";
export { readTrigger, readTriggerRecord, TRIGGER_SCHEMA, triggerFiles } from "./trigger-folder.ts";
