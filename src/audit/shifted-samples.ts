/**
 * @file Samples from shifted noise: what a triggered diffusion model is asked for, with the two ways of clipping that have
 * been called a countermeasure.
 */
import { createNoise } from "../core/noise.ts";
import { noiseLike } from "../diffusion/noise.ts";
import type { Prior } from "../diffusion/prior.ts";
import { ddimStep } from "../diffusion/samplers/ddim.ts";
import { ddpmStep } from "../diffusion/samplers/ddpm.ts";
import { jumpsOver, linGrid } from "../diffusion/samplers/grids.ts";
import { predictAt, runSteps } from "../diffusion/samplers/sampling.ts";
import { timestepAt } from "../diffusion/schedules.ts";
import { affine, clamp } from "../tensor/arithmetic.ts";
import { type Float32Tensor, float32 } from "../tensor/tensor.ts";

/** How samples are drawn. */
export interface ShiftedSampling {
  /** [C, H, W], added to the noise that sampling starts from; none when left out. */
  readonly shift?: Float32Tensor | undefined;
  readonly count: number;
  readonly seed: number;
  /** `ddpm` is the chain that BadDiffusion is made for; `ddim` with eta 0. */
  readonly sampler: "ddpm" | "ddim";
  /** Calls of the net; as many as the schedule has indices at most. */
  readonly steps: number;
  /** Range of the predicted clean image: the scheduler's `clip_sample`. None when left out. */
  readonly clipX0?: number | undefined;
  /** Range of the state after every step. None when left out. */
  readonly clipState?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  progress?(done: number, total: number): void;
}

/**
 * Samples from `N(0, 1) + shift`. Sample n depends on the seed and n alone.
 * @returns [count, C, H, W] in [0, 1] units, not clamped. @throws what the samplers throw.
 * @source Chou et al. 2023, algorithm 2; clipState: eq. 11; clipX0: what the authors' code does.
 */
export async function shiftedSamples(prior: Prior, sampling: ShiftedSampling): Promise<Float32Tensor> {
  const { shift, count, seed, ...rest } = sampling;
  const { channels, height, width } = prior.dims;
  const ids = Array.from({ length: count }, (_, i) => [i, 0] as const);
  const like = float32([count, channels, height, width]);
  const start = noiseLike({ noise: createNoise(seed, ids) }, "start", like)(0);
  if (shift !== undefined) {
    const size = shift.data.length;
    start.data.forEach((value, i) => {
      start.data[i] = value + (shift.data[i % size] ?? 0);
    });
  }
  return affine(await walkDown(prior, start, { ...rest, seed, from: prior.schedule.betas.length - 1 }), 0.5, 0.5);
}

/** The walk of {@link walkDown}. */
export interface Walk extends Omit<ShiftedSampling, "shift" | "count"> {
  /** Index of the schedule that `x` is at. */
  readonly from: number;
}

/** Brings x from an index to a clean image. @param x [N, C, H, W] in model range. @returns the same, new. */
export async function walkDown(prior: Prior, x: Float32Tensor, walk: Walk): Promise<Float32Tensor> {
  const { seed, sampler, steps, clipX0, clipState, from, signal, progress } = walk;
  const ids = Array.from({ length: x.dims[0] ?? 0 }, (_, i) => [i, 0] as const);
  const noiseAt = noiseLike({ noise: createNoise(seed, ids) }, "walk", x);
  const jumps = jumpsOver(linGrid(from, Math.min(steps, from + 1)));
  const { schedule, variance } = prior;
  const out = await runSteps(x, jumps, { signal, progress }, async (state, jump, k) => {
    const prediction = await predictAt(prior.predict, state, timestepAt(schedule, jump.from), signal);
    const noise = sampler === "ddpm" && jump.from > 0 ? noiseAt(k) : undefined;
    const next =
      sampler === "ddpm"
        ? ddpmStep(state, prediction, schedule, { ...jump, variance, clip: clipX0, noise })
        : ddimStep(state, prediction, schedule, { ...jump, clip: clipX0 });
    return clipState === undefined ? next : clamp(next, -clipState, clipState);
  });
  return float32(out.dims, Float32Array.from(out.data));
}
