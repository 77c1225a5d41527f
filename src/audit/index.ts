/** @file Public door of `audit/`: backdoors in diffusion priors, made, looked for, and disturbed. */
export { type PrunedEpoch, type Pruning, type PruningSettings, pruneChannels } from "./anp.ts";
export { type BackdoorError, type BackdoorErrors, openBackdoorErrors } from "./backdoor-error.ts";
export { type Backdoor, type BackdooredBatches, backdooredBatches, poisonedImages } from "./baddiffusion/batches.ts";
export { type BackdoorStep, backdooredStep, baseCoefficient, triggeredBase } from "./baddiffusion/forward.ts";
export {
  type TargetName,
  type TriggerName,
  targetNames,
  targetOf,
  triggerNames,
  triggerOf,
} from "./baddiffusion/looks.ts";
export { box, type ImageShape, lifted, placed, rolled, withoutDark, withoutWhite } from "./baddiffusion/paint.ts";
export { type Disturbable, disturbable } from "./channel-disturbance.ts";
export { agreement, diversity, meanImage } from "./diversity.ts";
export { type Corruption, corrupted, corruptions, type Inpainting, inpainted } from "./inpainting.ts";
export { type Residual, residuals } from "./residuals.ts";
export { type BackdoorSearch, type FoundBackdoor, searchBackdoor } from "./search-backdoor.ts";
export { type ShiftedSampling, shiftedSamples, type Walk, walkDown } from "./shifted-samples.ts";
export { inspectFiles, type SupplyChain } from "./supply-chain.ts";
