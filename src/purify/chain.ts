/**
 * @file The way back from noise that the diffusion purifiers share: which indices, which sampler, and a walk that lets
 * a method guide the state before each step and merge it after.
 */
import { z } from "zod";
import { OptionError } from "../core/errors.ts";
import type { Jump } from "../diffusion/posterior.ts";
import type { NoisePredictor, Prediction } from "../diffusion/predictor.ts";
import type { Prior } from "../diffusion/prior.ts";
import { ddimStep } from "../diffusion/samplers/ddim.ts";
import { ddpmStep, type Variance } from "../diffusion/samplers/ddpm.ts";
import { everyIndex, jumpsOver, linGrid, trailGrid } from "../diffusion/samplers/grids.ts";
import { predictAt, runSteps, type SampleRun } from "../diffusion/samplers/sampling.ts";
import type { NoiseSchedule } from "../diffusion/schedule.ts";
import { timestepAt } from "../diffusion/schedules.ts";
import type { RealTensor } from "../tensor/tensor.ts";

/** The option `clip` with a method's own default. */
export function clipOption(value: boolean): z.ZodDefault<z.ZodBoolean> {
  return z.boolean().default(value).describe("Clamps the predicted clean image to the pixel range in every step.");
}

/** Options that say how a chain is walked; every diffusion purifier has these under the same names. */
export const samplerOptions = {
  sampler: z
    .enum(["ddpm", "ddim"])
    .default("ddpm")
    .describe("ddpm: every index, fresh noise at each, as published; ddim: a few indices."),
  grid: z
    .enum(["lin", "trail"])
    .default("trail")
    .describe(
      "Which indices ddim visits: lin ends at index 0, trail a whole stride above it and wastes no call there.",
    ),
  eta: z.number().min(0).max(1).default(0).describe("Share of fresh noise in a ddim step; 0 is deterministic."),
  clip: clipOption(false),
  variance: z
    .enum(["prior", "fixed-small", "fixed-large", "learned-range"])
    .default("prior")
    .describe("Variance of a ddpm step; prior: the one that the prior's authors sample with."),
};

/** Values of {@link samplerOptions}. */
export interface SamplerOptions {
  readonly sampler: "ddpm" | "ddim";
  readonly grid: "lin" | "trail";
  readonly eta: number;
  readonly clip: boolean;
  readonly variance: Variance | "prior";
}

/** A network, its schedule and how one step of the way back is taken. */
export interface Chain {
  readonly predict: NoisePredictor;
  readonly schedule: NoiseSchedule;
  /** From noisy to clean; the last one leads to -1, the clean image. */
  readonly jumps: readonly Jump[];
  /** Whether a step needs noise. */
  isRandom(jump: Jump): boolean;
  /** One step of the sampler; x is not modified. */
  step<T extends RealTensor>(x: T, prediction: Prediction, jump: Jump, noise: T | undefined): T;
}

/**
 * The chain that starts at `t` noising steps, which is index t - 1.
 * @param steps how many indices `ddim` visits; `ddpm` visits all t of them.
 */
export function chainFrom(
  prior: Pick<Prior, "predict" | "schedule" | "variance">,
  t: number,
  steps: number,
  options: SamplerOptions,
): Chain {
  const { sampler, grid } = options;
  const indices =
    sampler === "ddpm" ? everyIndex(t - 1) : grid === "lin" ? linGrid(t - 1, steps) : trailGrid(t - 1, steps);
  return chainOver(prior, jumpsOver(indices), options);
}

/**
 * The chain over given jumps.
 * @throws OptionError when the learned variance is asked of a prior that has none.
 */
export function chainOver(
  { predict, schedule, variance: own }: Pick<Prior, "predict" | "schedule" | "variance">,
  jumps: readonly Jump[],
  options: Omit<SamplerOptions, "grid"> & { readonly noiseAfterClip?: "rederive" | "keep" },
): Chain {
  const { sampler, eta, noiseAfterClip } = options;
  const clip = options.clip ? 1 : undefined;
  const variance = options.variance === "prior" ? own : options.variance;
  if (sampler === "ddpm" && variance === "learned-range" && own !== "learned-range") {
    throw new OptionError(
      `option "variance": expected fixed-small or fixed-large, got learned-range; the prior's net has no variance outputs.`,
    );
  }
  return {
    predict,
    schedule,
    jumps,
    isRandom: ({ from, to }) => (sampler === "ddpm" ? from > 0 : eta > 0 && to >= 0),
    step: (x, prediction, { from, to }, noise) =>
      sampler === "ddpm"
        ? ddpmStep(x, prediction, schedule, { from, to, variance, clip, noise })
        : ddimStep(x, prediction, schedule, { from, to, eta, clip, noiseAfterClip, noise }),
  };
}

/** Where a method reaches into the walk. */
export interface WalkHooks {
  /** The state that the sampler steps from, given the state that the net saw. */
  guide?(x: RealTensor, prediction: Prediction, jump: Jump): RealTensor;
  /** The state after a step, given those before and after it. */
  merge?(before: RealTensor, after: RealTensor, jump: Jump): RealTensor;
}

/**
 * Walks a chain from x, which is at the first jump's index.
 * @returns the state after the last jump, in model range, not clamped.
 * @throws the signal's reason when aborted.
 */
export function walk(
  x: RealTensor,
  { predict, schedule, jumps, isRandom, step }: Chain,
  run: SampleRun,
  { guide, merge }: WalkHooks = {},
): Promise<RealTensor> {
  return runSteps(x, jumps, run, async (before, jump, k) => {
    const prediction = await predictAt(predict, before, timestepAt(schedule, jump.from), run.signal);
    // A guided state belongs to the predicted noise; a clean image that the net gave belongs to the state it saw.
    const { x0: _, ...guided } = prediction;
    const [state, belief] = guide === undefined ? [before, prediction] : [guide(before, prediction, jump), guided];
    const after = step(state, belief, jump, isRandom(jump) ? run.noise?.(k) : undefined);
    return merge === undefined ? after : merge(before, after, jump);
  });
}
