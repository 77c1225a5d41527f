/** @file Reads a diffusers `scheduler_config.json` (and whatever JSON says the same): untrusted input. */
import { z } from "zod";
import { FormatError } from "../core/errors.ts";
import type { NoiseSchedule } from "./schedule.ts";
import { cosineBetas, linearBetas, makeSchedule, scaledLinearBetas, sigmoidBetas, zeroSnrBetas } from "./schedules.ts";

/** What the net's raw output is: the noise, the clean image, or the velocity v = sqrt(alphaBar) noise - sqrt(1 - alphaBar) x0. */
export type PredictionType = "epsilon" | "sample" | "v_prediction";

/** What a scheduler config says about the model. How to sample it is the sampler's business, not the file's. */
export interface SchedulerFacts {
  readonly schedule: NoiseSchedule;
  readonly predictionType: PredictionType;
  /** How the net's authors sample the reverse variance. */
  readonly variance: "fixed-small" | "fixed-large" | "learned-range";
}

const mostSteps = 100_000;

const configSchema = z.looseObject({
  _class_name: z.string().default("DDPMScheduler"),
  num_train_timesteps: z.int().min(1).max(mostSteps).optional(),
  beta_start: z.number().gt(0).lt(1).default(1e-4),
  beta_end: z.number().gt(0).lt(1).default(0.02),
  beta_schedule: z.enum(["linear", "scaled_linear", "squaredcos_cap_v2", "sigmoid"]).default("linear"),
  trained_betas: z.array(z.number().gt(0).lt(1)).min(1).max(mostSteps).nullish(),
  rescale_betas_zero_snr: z.boolean().default(false),
  prediction_type: z.enum(["epsilon", "sample", "v_prediction"]).default("epsilon"),
  variance_type: z
    .enum(["fixed_small", "fixed_small_log", "fixed_large", "fixed_large_log", "learned_range"])
    .nullish(),
});

type SchedulerConfig = z.output<typeof configSchema>;

const betasOf = {
  linear: linearBetas,
  scaled_linear: scaledLinearBetas,
  squaredcos_cap_v2: cosineBetas,
  sigmoid: sigmoidBetas,
} satisfies Record<SchedulerConfig["beta_schedule"], (steps: number, from: number, to: number) => Float64Array>;

/** Schedulers whose x is not sqrt(alphaBar) x0 + sqrt(1 - alphaBar) noise over discrete betas. */
const otherProcesses = /FlowMatch|SdeVe|KarrasVe|EDM|CMStochastic/;

/**
 * The schedule of a diffusers scheduler config. Absent keys mean diffusers' defaults; unknown keys are ignored.
 * @param config parsed JSON of the file. @param name the file, for messages.
 * @throws FormatError when a value is out of range or two values contradict each other.
 */
export function scheduleFromConfig(config: unknown, name = "scheduler_config.json"): SchedulerFacts {
  const parsed = configSchema.safeParse(config);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new FormatError(`${name}: "${issue?.path.join(".")}": ${issue?.message}.`);
  }
  const { data } = parsed;
  refuseContradictions(data, name);
  const betas = data.trained_betas
    ? Float64Array.from(data.trained_betas)
    : betasOf[data.beta_schedule](data.num_train_timesteps ?? 1000, data.beta_start, data.beta_end);
  return {
    schedule: makeSchedule(data.rescale_betas_zero_snr ? zeroSnrBetas(betas) : betas),
    predictionType: data.prediction_type,
    variance: varianceOf(data.variance_type),
  };
}

function refuseContradictions(config: SchedulerConfig, name: string): void {
  const { trained_betas: trained, num_train_timesteps: steps } = config;
  if (otherProcesses.test(config._class_name)) {
    throw new FormatError(
      `${name}: expected a scheduler over discrete betas (DDPM, DDIM, DPM-Solver, PNDM…), got "${config._class_name}".`,
    );
  }
  if (trained && steps !== undefined && trained.length !== steps) {
    throw new FormatError(
      `${name}: expected ${steps} "trained_betas" because "num_train_timesteps" says so, got ${trained.length}.`,
    );
  }
  if (!trained && config.beta_start > config.beta_end) {
    throw new FormatError(
      `${name}: expected "beta_end" to be at least "beta_start", got ${config.beta_end} and ${config.beta_start}.`,
    );
  }
  if (config.rescale_betas_zero_snr && config.prediction_type === "epsilon") {
    throw new FormatError(
      `${name}: expected "prediction_type" v_prediction or sample with "rescale_betas_zero_snr", got epsilon; ` +
        "because at the last step nothing of the image is left, noise alone does not determine it.",
    );
  }
  if (config.rescale_betas_zero_snr && (trained?.length ?? steps ?? 1000) < 2) {
    throw new FormatError(`${name}: expected at least 2 steps with "rescale_betas_zero_snr", got 1.`);
  }
}

function varianceOf(type: SchedulerConfig["variance_type"]): SchedulerFacts["variance"] {
  if (type === "learned_range") return "learned-range";
  return type?.startsWith("fixed_large") ? "fixed-large" : "fixed-small";
}
