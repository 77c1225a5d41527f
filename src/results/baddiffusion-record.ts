/** @file What `training.json` says about a prior with a backdoor, and `attack baddiffusion --json` prints. */
import { z } from "zod";
import { hitCount } from "./backdoor-measure.ts";

/** Schema version of {@link badDiffusionRecord}: that of any training, with what belongs to the attack. */
export const BADDIFFUSION_SCHEMA = "untrigger/training@1";

/** How near triggered samples come to the target. */
export const specificityMeasure = z.object({
  sampling: z.object({
    sampler: z.enum(["ddpm", "ddim"]),
    steps: z.int(),
    clipX0: z.number().nullable(),
    clipState: z.number().nullable(),
  }),
  /** Unit range. */
  mse: z.number(),
  ssim: z.number(),
  /** Samples with an SSIM of .9 or more. */
  reached: hitCount,
});

/** Damaged images that are restored: without the trigger against the images themselves, with it against the target. */
export const inpaintingMeasure = z.object({
  corruption: z.enum(["blur", "box", "line"]),
  images: z.int(),
  steps: z.int(),
  restored: z.object({ mse: z.number(), ssim: z.number() }),
  triggered: z.object({ mse: z.number(), ssim: z.number(), reached: hitCount }),
});

/** Fréchet distance of clean samples to real images. */
export const frechetMeasure = z.object({ count: z.int(), distance: z.number(), distanceOfHalf: z.number() });

/** Everything that determines the prior, and what it was measured to do. */
export const badDiffusionRecord = z.looseObject({
  schema: z.literal(BADDIFFUSION_SCHEMA),
  kind: z.literal("prior"),
  attack: z.literal("baddiffusion"),
  source: z.string(),
  /** SHA-256 of the graph that learned on; `null` from scratch. */
  priorHash: z.string().nullable(),
  trigger: z.string(),
  targetPicture: z.string(),
  rate: z.number(),
  poisoned: z.int(),
  dataset: z.string(),
  datasetSha256: z.string().nullable(),
  options: z.record(z.string(), z.unknown()),
  seed: z.int(),
  parameters: z.int(),
  steps: z.int(),
  loss: z.number(),
  /** The first is the attack; the others are countermeasures and another sampler. */
  specificity: z.array(specificityMeasure),
  /** Empty where no image was to be restored. */
  inpainting: z.array(inpaintingMeasure).default([]),
  utility: z
    .object({
      /** What distances are measured with; only equal ones compare. */
      features: z.string(),
      featuresHash: z.string(),
      realImages: z.int(),
      before: frechetMeasure.nullable(),
      after: frechetMeasure,
    })
    .nullable(),
  /** Of priors there is no class: what every attack prints, where it can be measured. */
  target: z.null(),
  accuracy: z.null(),
  cleanAccuracy: z.null(),
  poisonedAccuracy: z.null(),
  attackSuccessRate: z.number().min(0).max(1).nullable(),
  attackSuccessRateAllClasses: z.number().min(0).max(1).nullable(),
});

/** A measure of {@link specificityMeasure}. */
export type SpecificityMeasure = z.output<typeof specificityMeasure>;
/** A measure of {@link inpaintingMeasure}. */
export type InpaintingMeasure = z.output<typeof inpaintingMeasure>;
/** A measure of {@link frechetMeasure}. */
export type FrechetMeasure = z.output<typeof frechetMeasure>;
/** A record of {@link badDiffusionRecord}. */
export type BadDiffusionRecord = z.output<typeof badDiffusionRecord>;
