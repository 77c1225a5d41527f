/** @file Public door of `diffusion/`: schedules, samplers, and what a prior is. */
export { noised } from "./forward.ts";
export type { Int8Store } from "./int8-plan.ts";
export { noiseLike } from "./noise.ts";
export { type OpenPriorOptions, openPrior } from "./open-prior.ts";
export { type Jump, type Posterior, posteriorOf } from "./posterior.ts";
export { adaptPrediction, type RawNet } from "./prediction-type.ts";
export type { NoisePredictor, Prediction } from "./predictor.ts";
export type { Precision, Prior } from "./prior.ts";
export type { PriorSettings } from "./prior-plan.ts";
export { respace, spaceTimesteps } from "./respacing.ts";
export { type Clip, clipX0, type DynamicThreshold, estimateX0, noiseBetween } from "./samplers/clean-estimate.ts";
export { type DdimOptions, type DdimStepOptions, ddim, ddimStep } from "./samplers/ddim.ts";
export { type DdpmOptions, type DdpmStepOptions, ddpm, ddpmStep, type Variance } from "./samplers/ddpm.ts";
export type { SolverAlgorithm } from "./samplers/dpm-solver.ts";
export { dpmSolverMultistep, type MultistepOptions } from "./samplers/dpm-solver-multistep.ts";
export { dpmSolverSinglestep, type SinglestepOptions } from "./samplers/dpm-solver-singlestep.ts";
export {
  everyIndex,
  jumpsOver,
  linGrid,
  spacedIndices,
  type TimestepSpacing,
  trailGrid,
} from "./samplers/grids.ts";
export {
  type DenoiseRequest,
  openSampler,
  type SampledPrior,
  type SamplerDescriptor,
  type SamplerName,
  samplers,
} from "./samplers/registry.ts";
export type { SampleRun, StepNoise } from "./samplers/sampling.ts";
export {
  type GridEnd,
  indexGrid,
  indicesAbove,
  karrasGrid,
  lambdaGrid,
  type SolverGrid,
  type SolverSpacing,
  solverIndices,
} from "./samplers/solver-grids.ts";
export type { SolverOptions } from "./samplers/solver-options.ts";
export type { NoiseSchedule } from "./schedule.ts";
export { type PredictionType, type SchedulerFacts, scheduleFromConfig } from "./scheduler-config.ts";
export {
  alphaBarAt,
  cosineBetas,
  indexForSigma01,
  linearBetas,
  makeSchedule,
  openAiLinearBetas,
  rescaleTimesteps,
  scaledLinearBetas,
  sigma01,
  sigmoidBetas,
  timestepAt,
  zeroSnrBetas,
} from "./schedules.ts";
export { diffusersUNet } from "./unet/diffusers.ts";
export { parseUNet2DConfig, type UNet2DConfig } from "./unet/diffusers-config.ts";
export { openAiUNet } from "./unet/openai.ts";
export { type OpenAiConfig, parseOpenAiConfig } from "./unet/openai-config.ts";
export { planUNet, type UNetOptions, unetOptions } from "./unet/plan-unet.ts";
export { isSampDetox, sampDetoxUNet } from "./unet/sampdetox.ts";
export type { ClassInput, ImageSize, UNetGraph } from "./unet/unet-graph.ts";
export {
  type PriorToWrite,
  priorFiles,
  schedulerConfig,
  scheduleToTrain,
  type TrainingSchedule,
  trainingSchedule,
} from "./write-prior.ts";
