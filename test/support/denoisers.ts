/** @file Noise predictors in one line of arithmetic, for tests of samplers and of what is built on them. */
import { alphaBarCurve } from "../../src/diffusion/prediction-type.ts";
import type { NoisePredictor } from "../../src/diffusion/predictor.ts";
import type { NoiseSchedule } from "../../src/diffusion/schedule.ts";
import { combine } from "../../src/tensor/arithmetic.ts";
import type { RealTensor } from "../../src/tensor/tensor.ts";

/** A net that knows the clean images: the noise is whatever separates x from them. */
export function perfectDenoiser(schedule: NoiseSchedule, clean: RealTensor): NoisePredictor {
  const alphaBar = alphaBarCurve(schedule);
  return async (x, t) => {
    const share = alphaBar(t[0]!);
    const deviation = Math.sqrt(1 - share);
    return { noise: combine<RealTensor>([1 / deviation, x], [-Math.sqrt(share) / deviation, clean]) };
  };
}

/** The exact net for independent Gaussian pixels of the given mean and deviation. */
export function gaussianDenoiser(schedule: NoiseSchedule, mean: number, deviation: number): NoisePredictor {
  const alphaBar = alphaBarCurve(schedule);
  return async (x, t) => {
    const share = alphaBar(t[0]!);
    const scale = Math.sqrt(1 - share) / (share * deviation ** 2 + 1 - share);
    const data = x.data.map((value) => scale * (value - Math.sqrt(share) * mean));
    return { noise: { ...x, data } as RealTensor };
  };
}
