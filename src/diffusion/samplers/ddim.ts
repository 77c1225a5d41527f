/**
 * @file DDIM: non-Markovian sampling over any jumps. With eta 0 it is deterministic; with eta 1 and adjacent indices
 * it is DDPM with the posterior's variance.
 *
 * | here              | paper                              |
 * |-------------------|------------------------------------|
 * | x at index `from` | x_t                                |
 * | prediction.noise  | epsilon_theta(x_t)                 |
 * | alphaBarAt        | alpha_t (the paper drops the bar)  |
 * | sigma             | sigma_t(eta), eq. 16               |
 * @source Song et al. 2021, "Denoising Diffusion Implicit Models", eq. 12 and 16. https://arxiv.org/abs/2010.02502
 */
import { combine } from "../../tensor/arithmetic.ts";
import type { RealTensor } from "../../tensor/tensor.ts";
import type { Jump } from "../posterior.ts";
import type { NoisePredictor, Prediction } from "../predictor.ts";
import type { NoiseSchedule } from "../schedule.ts";
import { alphaBarAt, timestepAt } from "../schedules.ts";
import { type Clip, clipX0, estimateX0, noiseBetween } from "./clean-estimate.ts";
import { needNoise, predictAt, runSteps, type SampleRun } from "./sampling.ts";

/** How a DDIM step is taken. */
export interface DdimStepOptions<T extends RealTensor = RealTensor> extends Jump {
  /** Share of fresh noise, 0..1. @default 0 */
  readonly eta?: number | undefined;
  /** Range of the predicted clean image; none by default. */
  readonly clip?: Clip | undefined;
  /**
   * After clipping, `rederive` the noise from the clipped x0 (OpenAI; diffusers' `use_clipped_model_output`) or `keep`
   * the predicted one (diffusers' default). @default "rederive"
   */
  readonly noiseAfterClip?: "rederive" | "keep" | undefined;
  /** N(0, 1) of x's dims; needed where eta > 0, except in a jump to the clean image. */
  readonly noise?: T | undefined;
}

/**
 * One DDIM step from `from` to `to` (-1: the clean image, which the step then returns as predicted).
 * @param x at index `from`, [N, C, H, W] in model range; not modified. @returns x at index `to`.
 * @throws OptionError when an index is outside the schedule or noise is missing.
 */
export function ddimStep<T extends RealTensor>(
  x: T,
  prediction: Prediction,
  schedule: NoiseSchedule,
  { from, to, eta = 0, clip, noiseAfterClip = "rederive", noise }: DdimStepOptions<T>,
): T {
  const alphaBar = alphaBarAt(schedule, from);
  const x0 = clipX0(estimateX0(x, prediction, alphaBar), clip);
  const epsilon =
    clip !== undefined && noiseAfterClip === "rederive" ? noiseBetween(x, x0, alphaBar) : (prediction.noise as T);
  const after = alphaBarAt(schedule, to);
  const sigma = ddimSigma(alphaBar, after, eta);
  const towards = Math.sqrt(Math.max(1 - after - sigma * sigma, 0));
  if (sigma === 0) return combine([Math.sqrt(after), x0], [towards, epsilon]);
  return combine([Math.sqrt(after), x0], [towards, epsilon], [sigma, needNoise("ddim", noise)]);
}

/** Deviation of the fresh noise, eq. 16; 0 in a jump to the clean image. */
function ddimSigma(alphaBar: number, after: number, eta: number): number {
  return eta * Math.sqrt((1 - after) / (1 - alphaBar)) * Math.sqrt(Math.max(1 - alphaBar / after, 0));
}

/** Options of {@link ddim}. */
export interface DdimOptions extends SampleRun, Pick<DdimStepOptions, "eta" | "clip" | "noiseAfterClip"> {
  /** The steps to take, from noisy to clean; see `jumpsOver`. */
  readonly jumps: readonly Jump[];
}

/**
 * Samples x at the first jump's `from` down to the last jump's `to`.
 * @param x [N, C, H, W]; not modified.
 * @throws what {@link ddimStep} throws; the signal's reason when aborted.
 */
export function ddim(
  predict: NoisePredictor,
  x: RealTensor,
  schedule: NoiseSchedule,
  { jumps, eta = 0, clip, noiseAfterClip, ...run }: DdimOptions,
): Promise<RealTensor> {
  return runSteps(x, jumps, run, async (x, { from, to }, k) => {
    const prediction = await predictAt(predict, x, timestepAt(schedule, from), run.signal);
    const noise = eta > 0 ? run.noise?.(k) : undefined;
    return ddimStep(x, prediction, schedule, { from, to, eta, clip, noiseAfterClip, noise });
  });
}
