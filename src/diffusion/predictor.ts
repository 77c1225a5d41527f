/** @file The one meaning of a diffusion model inside the house. */
import type { RealTensor } from "../tensor/tensor.ts";

/** What a noise predictor returns for a batch. */
export interface Prediction {
  /** Predicted noise, same dims as x. */
  readonly noise: RealTensor;
  /** Predicted clean image, given by nets that predict x0 or v: noise alone does not determine it where alphasBar is 0. */
  readonly x0?: RealTensor;
  /** Raw interpolation value v, about [-1, 1], of a learned-range net, same dims as x; see `samplers/ddpm.ts`. */
  readonly variance?: RealTensor;
}

/**
 * A diffusion model.
 * @param x noisy images [N, C, H, W] in model range (clean ones lie in [-1, 1]).
 * @param t [N], what the net is shown: `schedule.timesteps[i]` for index i; fractional where timesteps are rescaled.
 */
export type NoisePredictor = (x: RealTensor, t: Float64Array, signal?: AbortSignal) => Promise<Prediction>;
