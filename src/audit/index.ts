/** @file Public door of `audit/`: backdoors in diffusion priors, made, looked for, and disturbed. */
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
export { type Corruption, corrupted, corruptions, type Inpainting, inpainted } from "./inpainting.ts";
export { type ShiftedSampling, shiftedSamples, type Walk, walkDown } from "./shifted-samples.ts";
