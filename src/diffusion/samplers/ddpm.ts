/**
 * @file DDPM: ancestral sampling. One file serves diffusers' and OpenAI's conventions: a jump over several indices is
 * one step of the respaced chain, and no noise is added at index 0.
 *
 * | here              | paper                                          |
 * |-------------------|------------------------------------------------|
 * | x at index i      | x_t, t = i + 1                                 |
 * | prediction.noise  | epsilon_theta(x_t, t)                          |
 * | posterior         | mu tilde_t and beta tilde_t, see posterior.ts  |
 * | noise             | z ~ N(0, I)                                    |
 * @source Ho et al. 2020, "Denoising Diffusion Probabilistic Models", Algorithm 2. https://arxiv.org/abs/2006.11239
 * @source Nichol and Dhariwal 2021, "Improved Denoising Diffusion Probabilistic Models", eq. 15. https://arxiv.org/abs/2102.09672
 */
import { OptionError } from "../../core/errors.ts";
import { combine } from "../../tensor/arithmetic.ts";
import type { RealTensor } from "../../tensor/tensor.ts";
import { type Jump, posteriorOf } from "../posterior.ts";
import type { NoisePredictor, Prediction } from "../predictor.ts";
import type { NoiseSchedule } from "../schedule.ts";
import { alphaBarAt, timestepAt } from "../schedules.ts";
import { type Clip, clipX0, estimateX0 } from "./clean-estimate.ts";
import { addInterpolatedNoiseInto } from "./kernels.ts";
import { needNoise, predictAt, runSteps, type SampleRun } from "./sampling.ts";

/**
 * Variance of the reverse step. `fixed-small`: beta tilde, the posterior's (diffusers' `fixed_small` and
 * `fixed_small_log`); `fixed-large`: beta; `learned-range`: between the two in the logarithm, as the net says.
 */
export type Variance = "fixed-small" | "fixed-large" | "learned-range";

/** How a DDPM step is taken. */
export interface DdpmStepOptions<T extends RealTensor = RealTensor> extends Jump {
  /** @default "fixed-small" */
  readonly variance?: Variance | undefined;
  /** Range of the predicted clean image; none by default. */
  readonly clip?: Clip | undefined;
  /** N(0, 1) of x's dims; needed unless `from` is 0. */
  readonly noise?: T | undefined;
}

/** The smallest variance whose logarithm is taken; the posterior's own is 0 in a jump to the clean image. */
const leastVariance = 1e-20;

/**
 * One ancestral step from `from` to `to` (-1: the clean image). Without clipping and with `to = from - 1` this is
 * (x - beta / sqrt(1 - alphaBar) noise) / sqrt(1 - beta) plus noise.
 * @param x at index `from`, [N, C, H, W] in model range; not modified. @returns x at index `to`.
 * @throws OptionError when an index is outside the schedule, or noise or a learned variance is missing.
 */
export function ddpmStep<T extends RealTensor>(
  x: T,
  prediction: Prediction,
  schedule: NoiseSchedule,
  { from, to, variance = "fixed-small", clip, noise }: DdpmStepOptions<T>,
): T {
  const x0 = clipX0(estimateX0(x, prediction, alphaBarAt(schedule, from)), clip);
  const { weightX0, weightX, variance: small, beta } = posteriorOf(schedule, { from, to });
  if (from === 0) return combine([weightX0, x0], [weightX, x]);
  const z = needNoise("ddpm", noise);
  const least = Math.max(small, leastVariance);
  if (variance !== "learned-range") {
    const deviation = Math.sqrt(variance === "fixed-large" ? beta : least);
    return combine([weightX0, x0], [weightX, x], [deviation, z]);
  }
  if (prediction.variance === undefined) {
    throw new OptionError('ddpm: expected a net with 2C output channels for variance "learned-range", got C.');
  }
  const next = combine([weightX0, x0], [weightX, x]);
  addInterpolatedNoiseInto(next.data, prediction.variance.data, z.data, Math.log(least), Math.log(beta));
  return next;
}

/** Options of {@link ddpm}. */
export interface DdpmOptions extends SampleRun, Pick<DdpmStepOptions, "variance" | "clip"> {
  /** The steps to take, from noisy to clean; see `jumpsOver`. */
  readonly jumps: readonly Jump[];
}

/**
 * Samples x at the first jump's `from` down to the last jump's `to`, ancestrally.
 * @param x [N, C, H, W]; not modified.
 * @throws what {@link ddpmStep} throws; the signal's reason when aborted.
 */
export function ddpm(
  predict: NoisePredictor,
  x: RealTensor,
  schedule: NoiseSchedule,
  { jumps, variance, clip, ...run }: DdpmOptions,
): Promise<RealTensor> {
  return runSteps(x, jumps, run, async (x, { from, to }, k) => {
    const prediction = await predictAt(predict, x, timestepAt(schedule, from), run.signal);
    const noise = from > 0 ? run.noise?.(k) : undefined;
    return ddpmStep(x, prediction, schedule, { from, to, variance, clip, noise });
  });
}
