/** @file Public door of `repair/`: repairs as data, and the building blocks of pruning. */
export { adversarialRetraining } from "./adversarial-retraining.ts";
export { anp } from "./anp.ts";
export { finePruning } from "./fine-pruning.ts";
export { fineTuning } from "./fine-tuning.ts";
export { type ChannelParameter, findLayers, type Layer } from "./layers/find-layers.ts";
export { foldMultipliers, type Multiplied, withMultipliers } from "./layers/multipliers.ts";
export { repairs } from "./registry.ts";
export {
  type CleanImages,
  type CurvePoint,
  defineRepair,
  LEAST_IMAGES,
  type PrunedLayer,
  type Repair,
  type RepairContext,
  type RepairDescriptor,
  type Repaired,
  type RepairPreset,
} from "./repair.ts";
export { splitImages } from "./split-images.ts";
