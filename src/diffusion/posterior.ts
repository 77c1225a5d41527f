/**
 * @file The Gaussian q(x_to | x_from, x0) that ancestral sampling draws from. A jump over several indices is one step
 * of the respaced schedule, so the same formulas serve both.
 *
 * | here       | paper                                                    |
 * |------------|----------------------------------------------------------|
 * | beta       | beta_t = 1 - alphaBar_t / alphaBar_(t-1)                 |
 * | variance   | beta tilde_t = beta_t (1 - alphaBar_(t-1)) / (1 - alphaBar_t) |
 * | weightX0, weightX | coefficients of x0 and x_t in mu tilde_t          |
 * @source Ho et al. 2020, "Denoising Diffusion Probabilistic Models", eq. 6 and 7. https://arxiv.org/abs/2006.11239
 */
import type { NoiseSchedule } from "./schedule.ts";
import { alphaBarAt } from "./schedules.ts";

/** From one index to a less noisy one; `to` -1 is the clean image. */
export interface Jump {
  readonly from: number;
  readonly to: number;
}

/** Mean `weightX0 * x0 + weightX * x` and variance of one reverse step; `beta` is the noise that the forward step added. */
export interface Posterior {
  readonly weightX0: number;
  readonly weightX: number;
  readonly variance: number;
  readonly beta: number;
}

/** The posterior of one jump. @throws OptionError when an index is outside the schedule. */
export function posteriorOf(schedule: NoiseSchedule, { from, to }: Jump): Posterior {
  const [alphaBar, before] = [alphaBarAt(schedule, from), alphaBarAt(schedule, to)];
  const beta = 1 - alphaBar / before;
  return {
    weightX0: (beta * Math.sqrt(before)) / (1 - alphaBar),
    weightX: ((1 - before) * Math.sqrt(1 - beta)) / (1 - alphaBar),
    variance: (beta * (1 - before)) / (1 - alphaBar),
    beta,
  };
}
