/** @file A trained prior as the files of a diffusers pipeline, which `openPrior` and diffusers itself read. */
import { z } from "zod";
import { parseOptions } from "../core/descriptor.ts";
import { OptionError } from "../core/errors.ts";
import { writeSafetensors } from "../nn/checkpoints/safetensors-writer.ts";
import type { StateDict } from "../nn/checkpoints/state-dict.ts";
import { weightsOf } from "../nn/checkpoints/weights.ts";
import type { NoiseSchedule } from "./schedule.ts";
import { scheduleFromConfig } from "./scheduler-config.ts";
import { diffusersUNet } from "./unet/diffusers.ts";
import type { UNet2DConfig } from "./unet/diffusers-config.ts";

/** Betas are below 1; the last one of a short linear schedule would not be. */
const LARGEST_BETA = 0.999;

/** The noise levels that a prior is trained on. */
export const trainingSchedule = z.object({
  kind: z
    .enum(["linear", "cosine"])
    .default("linear")
    .describe("How noise grows: linear betas, or the squared cosine of alphasBar that keeps small images longer."),
  trainTimesteps: z.int().min(1).max(100_000).default(1000).describe("Number of noise levels."),
  betaStart: z
    .number()
    .gt(0)
    .lt(1)
    .optional()
    .describe("First beta of linear ones; 0.1 / trainTimesteps when left out."),
  betaEnd: z.number().gt(0).lt(1).optional().describe("Last beta of linear ones; 20 / trainTimesteps when left out."),
});

/** Raw options of {@link schedulerConfig}. */
export type TrainingSchedule = z.input<typeof trainingSchedule>;

/**
 * The `scheduler_config.json` of a schedule: noise is predicted, variances are fixed small.
 * @throws OptionError naming the option that is out of range, or the two that contradict each other.
 * @source Ho et al. 2020, section 4 (linear); Nichol and Dhariwal 2021, "Improved Denoising Diffusion Probabilistic Models", eq. 17 (cosine)
 */
export function schedulerConfig(schedule: TrainingSchedule): Readonly<Record<string, unknown>> {
  const { kind, trainTimesteps, betaStart, betaEnd } = parseOptions(
    { name: "schedule", options: trainingSchedule },
    schedule,
  );
  if (kind === "cosine" && (betaStart ?? betaEnd) !== undefined) {
    throw new OptionError(
      'schedule: expected "betaStart" and "betaEnd" for linear betas only, got them for cosine ones.',
    );
  }
  const from = betaStart ?? Math.min(0.1 / trainTimesteps, LARGEST_BETA);
  const to = betaEnd ?? Math.min(20 / trainTimesteps, LARGEST_BETA);
  if (from > to) {
    throw new OptionError(`schedule: expected "betaEnd" of at least "betaStart", got ${to} and ${from}.`);
  }
  return {
    _class_name: "DDPMScheduler",
    num_train_timesteps: trainTimesteps,
    beta_schedule: kind === "cosine" ? "squaredcos_cap_v2" : "linear",
    ...(kind === "cosine" ? {} : { beta_start: from, beta_end: to }),
    prediction_type: "epsilon",
    variance_type: "fixed_small",
    clip_sample: true,
  };
}

/** The noise levels to train on: those that a reader of {@link priorFiles} will see. @throws OptionError as {@link schedulerConfig}. */
export function scheduleToTrain(schedule: TrainingSchedule): NoiseSchedule {
  return scheduleFromConfig(schedulerConfig(schedule)).schedule;
}

/** What {@link priorFiles} writes. */
export interface PriorToWrite {
  /** The net, with its `sample_size`, as `planUNet` plans it. */
  readonly config: UNet2DConfig;
  /** Its tensors by the names that they have in diffusers. */
  readonly weights: StateDict;
  readonly schedule: TrainingSchedule;
}

/**
 * The files of a diffusers pipeline, by their paths in its folder. Equal priors give equal bytes.
 * @throws FormatError when the weights are not those of the net or hold a number that is not finite; OptionError as
 * {@link schedulerConfig}.
 */
export function priorFiles({ config, weights, schedule }: PriorToWrite): Record<string, Uint8Array> {
  return pipelineFiles({ config, weights, scheduler: schedulerConfig(schedule) });
}

/**
 * The same with the scheduler's config as it is: for a prior that was another one before.
 * @throws FormatError when the weights are not those of the net or hold a number that is not finite.
 */
export function pipelineFiles({
  config,
  weights,
  scheduler,
}: Omit<PriorToWrite, "schedule"> & { readonly scheduler: unknown }): Record<string, Uint8Array> {
  diffusersUNet(config, weightsOf(weights, "prior"));
  return {
    "model_index.json": json({
      _class_name: "DDPMPipeline",
      scheduler: ["diffusers", "DDPMScheduler"],
      unet: ["diffusers", "UNet2DModel"],
    }),
    "scheduler/scheduler_config.json": json(scheduler),
    "unet/config.json": json({ _class_name: "UNet2DModel", ...config }),
    "unet/diffusion_pytorch_model.safetensors": writeSafetensors(weights, new Map([["format", "pt"]])),
  };
}

function json(value: unknown): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(value, undefined, 2)}\n`);
}
