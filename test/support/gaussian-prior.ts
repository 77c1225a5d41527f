/** @file A diffusion prior in closed form: the exact noise of Gaussian data. Real arithmetic, no network. */
import type { NoisePredictor } from "../../src/diffusion/predictor.ts";
import type { Prior } from "../../src/diffusion/prior.ts";
import type { NoiseSchedule } from "../../src/diffusion/schedule.ts";
import { linearBetas, makeSchedule } from "../../src/diffusion/schedules.ts";
import type { RealTensor } from "../../src/tensor/tensor.ts";

/**
 * The noise that an ideal net predicts when every pixel of the data is N(mean, deviation²) on its own:
 * sqrt(1 - alphaBar) (x - sqrt(alphaBar) mean) / (alphaBar deviation² + 1 - alphaBar).
 */
export function gaussianPredictor(schedule: NoiseSchedule, mean: number, variance: number): NoisePredictor {
  const indexOf = new Map(Array.from(schedule.timesteps, (shown, index) => [shown, index]));
  return async (x, t) => {
    const rows = x.dims[0]!;
    const size = x.data.length / rows;
    const data = x.data.map((value, i) => {
      const alphaBar = schedule.alphasBar[indexOf.get(t[Math.floor(i / size)]!)!]!;
      const excess = value - Math.sqrt(alphaBar) * mean;
      return (Math.sqrt(1 - alphaBar) * excess) / (alphaBar * variance + 1 - alphaBar);
    });
    return { noise: { dtype: x.dtype, dims: x.dims, data } as RealTensor };
  };
}

/** Such a prior over images of given dims, 1000 linear steps, data around grey. */
export function gaussianPrior(channels: number, height: number, width: number): Prior {
  const schedule = makeSchedule(linearBetas(1000));
  return {
    predict: gaussianPredictor(schedule, 0.1, 0.35),
    schedule,
    dims: { channels, height, width },
    variance: "fixed-small",
    hash: "0".repeat(64),
    dispose: async () => {},
  };
}
