/** @file The forward process: a clean image with noise up to an index. */
import { combine } from "../tensor/arithmetic.ts";
import type { RealTensor } from "../tensor/tensor.ts";
import type { NoiseSchedule } from "./schedule.ts";
import { alphaBarAt } from "./schedules.ts";

/**
 * A draw of q(x_index | x0): `sqrt(alphaBar) x0 + sqrt(1 - alphaBar) noise`.
 * @param x0 clean images in model range [-1, 1]. @param index 0..T-1; the paper's t is index + 1. @param noise N(0, 1), dims of x0.
 * @throws ShapeError when dims differ; OptionError when the index is outside the schedule.
 * @source Ho et al. 2020, "Denoising Diffusion Probabilistic Models", eq. 4. https://arxiv.org/abs/2006.11239
 */
export function noised<T extends RealTensor>(x0: T, schedule: NoiseSchedule, index: number, noise: T): T {
  const alphaBar = alphaBarAt(schedule, index);
  return combine([Math.sqrt(alphaBar), x0], [Math.sqrt(1 - alphaBar), noise]);
}
