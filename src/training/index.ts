/** @file Public door of `training/`: networks in training mode, one step as one graph, optimisers, batches, the loop. */
export { type DiffusionBatches, diffusionBatches } from "./batches/diffusion.ts";
export { createOrder, type OrderSettings, stepsPerEpoch } from "./batches/order.ts";
export { type BatchSource, type FitSettings, fit, type StepReport, type TrainingPlan } from "./fit.ts";
export { type Layout, layoutOf, type Slot, viewsOf } from "./layout.ts";
export { crossEntropyLoss, squaredLoss } from "./losses.ts";
export {
  type AdamSettings,
  adam,
  adamW,
  type Optimiser,
  type OptimiserStep,
  type SgdSettings,
  sgd,
} from "./optimisers.ts";
export { constantRate, cosineRate, oneCycleRate, type RateSchedule, stepRate, warmupRate } from "./schedules.ts";
export { freshState, readState, type TrainingState, writeState } from "./state.ts";
export { openStep, type StepResult, type StepSettings, type TrainingStep, type WriteLoss } from "./step.ts";
export { type Trainable, trainableOf } from "./trainable.ts";
