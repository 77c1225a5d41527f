/** @file Public door of `training/`: networks in training mode, one step as one graph, optimisers, batches, the loop. */
export { type Augmentation, augment, augmentationOptions } from "./batches/augment.ts";
export { type DiffusionBatches, diffusionBatches } from "./batches/diffusion.ts";
export { type LabelledBatch, type LabelledBatches, labelledBatches, oneHot } from "./batches/labelled.ts";
export { type MaskedBatches, maskedBatches, visiblePatches } from "./batches/masked.ts";
export { type BatchKind, type BatchKinds, type BatchSpec, openBatches } from "./batches/open-batches.ts";
export { createOrder, type OrderSettings, stepsPerEpoch } from "./batches/order.ts";
export {
  type CheckpointedSettings,
  type CheckpointStore,
  type Checkpoints,
  trainWithCheckpoints,
} from "./checkpointed.ts";
export { type Layout, layoutOf, type Slot, viewsOf } from "./layout.ts";
export {
  type BatchSource,
  type LoopSettings,
  type StepBatches,
  type StepReport,
  type TrainingPlan,
  train,
} from "./loop.ts";
export { crossEntropyLoss, ROW_WEIGHTS, squaredLoss, TARGETS } from "./losses.ts";
export {
  type AdamSettings,
  adam,
  adamW,
  type Optimiser,
  type OptimiserStep,
  type SgdSettings,
  sgd,
} from "./optimisers.ts";
export { openPixelGradient, type PixelGradient, type Weighted } from "./pixel-gradient.ts";
export { constantRate, cosineRate, oneCycleRate, type RateSchedule, stepRate, warmupRate } from "./schedules.ts";
export { freshState, readState, type TrainingState, writeState } from "./state.ts";
export { openStep, type StepResult, type StepSettings, type TrainingStep, type WriteLoss } from "./step.ts";
export {
  type ClassifierNet,
  type ClassifierTraining,
  type TrainedClassifier,
  trainClassifier,
} from "./train-classifier.ts";
export { type MaeTraining, trainMae } from "./train-mae.ts";
export { type PriorTraining, trainPrior } from "./train-prior.ts";
export { type Trainable, trainableOf } from "./trainable.ts";
export { trainedGraph, trainedTensors, type WeightChoice } from "./trained.ts";
