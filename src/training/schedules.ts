/** @file Learning rates over a training, as shares of the highest one. */

/** The share of the highest learning rate at a step of so many. @param step 0..total-1 */
export type RateSchedule = (step: number, total: number) => number;

/** The same rate all the time. */
export const constantRate: RateSchedule = () => 1;

/** From zero over `warmup` steps to the highest rate. Part of other schedules, and useful alone for fine-tuning. */
export function warmupRate(warmup: number): RateSchedule {
  return (step) => Math.min(1, (step + 1) / Math.max(1, warmup));
}

/**
 * Half a cosine from the highest rate down to zero, after `warmup` steps.
 * @source Loshchilov and Hutter 2017, "SGDR", eq. 5 without restarts. https://arxiv.org/abs/1608.03983
 */
export function cosineRate({ warmup = 0 }: { readonly warmup?: number | undefined } = {}): RateSchedule {
  const rise = warmupRate(warmup);
  return (step, total) => rise(step, total) * fall((step - warmup) / Math.max(1, total - warmup));
}

/** The rate is multiplied by `factor` at each of the milestones, which are shares of the training; to the nearest step. */
export function stepRate({
  milestones,
  factor = 0.1,
}: {
  readonly milestones: readonly number[];
  readonly factor?: number | undefined;
}): RateSchedule {
  return (step, total) => factor ** milestones.filter((milestone) => step >= Math.round(milestone * total)).length;
}

/**
 * One cycle: a cosine from 1/25 of the highest rate up to it over the first `rise` of the training, then one down to
 * 1/250,000 of it, as PyTorch's `OneCycleLR`.
 * @source Smith and Topin 2019, "Super-Convergence". https://arxiv.org/abs/1708.07120
 */
export function oneCycleRate({ rise = 0.3 }: { readonly rise?: number | undefined } = {}): RateSchedule {
  const [low, lowest] = [1 / 25, 1 / 25 / 1e4];
  return (step, total) => {
    const top = rise * total - 1;
    if (step <= top) return low + (1 - low) * (1 - fall(step / Math.max(top, 1e-9)));
    return lowest + (1 - lowest) * fall((step - top) / Math.max(total - 1 - top, 1e-9));
  };
}

/** Half a cosine from 1 at 0 to 0 at 1. */
function fall(share: number): number {
  return (1 + Math.cos(Math.PI * Math.min(Math.max(share, 0), 1))) / 2;
}
