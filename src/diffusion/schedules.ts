/**
 * @file Named noise schedules as pure functions of T, and what every schedule is asked for. A named schedule never
 * changes; a better one gets a new name. Everything is float64.
 *
 * | here        | papers             | meaning                                                      |
 * |-------------|--------------------|--------------------------------------------------------------|
 * | index i     | t = i + 1          | 0..T-1; index 0 already carries one noise step               |
 * | betas[i]    | beta_t             | variance that one step adds                                  |
 * | alphasBar[i]| alpha bar_t        | product of 1 - beta; share of the clean image's variance left |
 * | index -1    | t = 0              | the clean image, alpha bar 1                                 |
 */
import { OptionError } from "../core/errors.ts";
import { cumulativeProduct, ratiosOf } from "./kernels.ts";
import type { NoiseSchedule } from "./schedule.ts";

/** `count` evenly spaced values from `from` to `to`, both included; `[from]` for one value. */
export function linspace(from: number, to: number, count: number): Float64Array {
  const step = count > 1 ? (to - from) / (count - 1) : 0;
  return Float64Array.from({ length: count }, (_, i) => (i > 0 && i === count - 1 ? to : from + i * step));
}

/**
 * Betas that grow linearly (diffusers `linear`; not scaled when T differs from 1000).
 * @source Ho et al. 2020, "Denoising Diffusion Probabilistic Models", section 4. https://arxiv.org/abs/2006.11239
 */
export function linearBetas(steps: number, from = 1e-4, to = 0.02): Float64Array {
  return linspace(from, to, steps);
}

/** Linear betas whose ends are scaled by 1000 / T, so that the last alpha bar hardly depends on T. @source openai/guided-diffusion, gaussian_diffusion.py */
export function openAiLinearBetas(steps: number): Float64Array {
  const scale = 1000 / steps;
  return linspace(scale * 1e-4, scale * 0.02, steps);
}

/** Betas whose square roots grow linearly (diffusers `scaled_linear`, latent diffusion). */
export function scaledLinearBetas(steps: number, from = 1e-4, to = 0.02): Float64Array {
  return linspace(Math.sqrt(from), Math.sqrt(to), steps).map((root) => root * root);
}

/**
 * Betas of a squared-cosine alpha bar, each at most 0.999 (diffusers `squaredcos_cap_v2`, OpenAI `cosine`).
 * @source Nichol and Dhariwal 2021, "Improved Denoising Diffusion Probabilistic Models", eq. 17. https://arxiv.org/abs/2102.09672
 */
export function cosineBetas(steps: number): Float64Array {
  const alphaBar = (u: number) => Math.cos(((u + 0.008) / 1.008) * (Math.PI / 2)) ** 2;
  return Float64Array.from({ length: steps }, (_, i) =>
    Math.min(1 - alphaBar((i + 1) / steps) / alphaBar(i / steps), 0.999),
  );
}

/** Betas along a logistic curve over [-6, 6] (diffusers `sigmoid`). */
export function sigmoidBetas(steps: number, from = 1e-4, to = 0.02): Float64Array {
  return linspace(-6, 6, steps).map((u) => (to - from) / (1 + Math.exp(-u)) + from);
}

/**
 * Betas changed so that the last alpha bar is exactly 0: sqrt(alphasBar) is shifted by its last value and scaled so
 * that its first stays.
 * @source Lin et al. 2023, "Common Diffusion Noise Schedules and Sample Steps are Flawed", Algorithm 1. https://arxiv.org/abs/2305.08891
 */
export function zeroSnrBetas(betas: Float64Array): Float64Array {
  const roots = cumulativeProduct(betas.map((beta) => 1 - beta)).map(Math.sqrt);
  const [first, last] = [roots.at(0) ?? 1, roots.at(-1) ?? 0];
  const alphasBar = roots.map((root) => ((root - last) * (first / (first - last))) ** 2);
  return ratiosOf(alphasBar).map((alpha) => 1 - alpha);
}

/**
 * The schedule of explicit betas, for instance trained ones.
 * @param betas T values in (0, 1]; copied. @param timesteps what the net is shown at each index; the index itself by default.
 * @throws OptionError when there is none, when one is out of range, or when there are not T timesteps.
 */
export function makeSchedule(betas: ArrayLike<number>, timesteps?: ArrayLike<number>): NoiseSchedule {
  const own = Float64Array.from(betas);
  if (own.length === 0) throw new OptionError("betas: expected at least one, got none.");
  own.forEach((beta, i) => {
    if (!(beta > 0 && beta <= 1))
      throw new OptionError(`betas[${i}]: expected a number above 0 and at most 1, got ${beta}.`);
  });
  const shown = timesteps === undefined ? own.map((_, i) => i) : Float64Array.from(timesteps);
  if (shown.length !== own.length) {
    throw new OptionError(`timesteps: expected ${own.length}, one for each beta, got ${shown.length}.`);
  }
  return { betas: own, alphasBar: cumulativeProduct(own.map((beta) => 1 - beta)), timesteps: shown };
}

/**
 * The same schedule with the net shown index * 1000 / T, fractional where T is not a divisor. Apply before respacing.
 * Checkpoints trained this way (improved-diffusion's) give silent garbage otherwise.
 * @source openai/improved-diffusion, respace.py (`rescale_timesteps`)
 */
export function rescaleTimesteps(schedule: NoiseSchedule): NoiseSchedule {
  const scale = 1000 / schedule.timesteps.length;
  return { ...schedule, timesteps: schedule.timesteps.map((t) => t * scale) };
}

/**
 * Alpha bar at an index; 1 at index -1, the clean image.
 * @throws OptionError when the index is not an integer from -1 to T-1.
 */
export function alphaBarAt(schedule: NoiseSchedule, index: number): number {
  const value = index === -1 ? 1 : schedule.alphasBar[index];
  if (value === undefined) throw badIndex(schedule, index, -1);
  return value;
}

/** Alpha bar where log-SNR must be finite: 2^-24 in place of 0, the last of a zero-SNR schedule. @source diffusers' DPMSolverMultistepScheduler */
export function finiteAlphaBar(alphaBar: number): number {
  return alphaBar === 0 ? 2 ** -24 : alphaBar;
}

/**
 * What the net is shown at an index.
 * @throws OptionError when the index is not an integer from 0 to T-1.
 */
export function timestepAt(schedule: NoiseSchedule, index: number): number {
  const value = schedule.timesteps[index];
  if (value === undefined) throw badIndex(schedule, index, 0);
  return value;
}

/** Noise deviation at an index in [0, 1] pixel units: what a "t" means, comparable across schedules. Infinite where alpha bar is 0. */
export function sigma01(schedule: NoiseSchedule, index: number): number {
  const alphaBar = alphaBarAt(schedule, index);
  return 0.5 * Math.sqrt((1 - alphaBar) / alphaBar);
}

/**
 * The smallest index from 1 up whose noise is at least `sigma`, a deviation in [0, 1] pixel units.
 * @throws OptionError when even the last index has less noise.
 * @source Carlini et al. 2023, "(Certified!!) Adversarial Robustness for Free!", Algorithm 1. https://arxiv.org/abs/2206.10550
 */
export function indexForSigma01(schedule: NoiseSchedule, sigma: number): number {
  const index = schedule.alphasBar.findIndex(
    (alphaBar, i) => i >= 1 && Math.sqrt((1 - alphaBar) / alphaBar) >= 2 * sigma,
  );
  if (index === -1) {
    const most = sigma01(schedule, schedule.alphasBar.length - 1);
    throw new OptionError(
      `sigma: expected at most ${most.toPrecision(4)}, all the noise of this schedule, got ${sigma}.`,
    );
  }
  return index;
}

function badIndex(schedule: NoiseSchedule, index: number, lowest: number): OptionError {
  return new OptionError(
    `index: expected an integer from ${lowest} to ${schedule.alphasBar.length - 1} of this schedule, got ${index}.`,
  );
}
