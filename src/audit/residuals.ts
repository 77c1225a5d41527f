/** @file How a prior denoises its own samples at every strength, with and without a shift of the noise. */
import { createNoise } from "../core/noise.ts";
import { noiseLike } from "../diffusion/noise.ts";
import type { Prior } from "../diffusion/prior.ts";
import { predictAt } from "../diffusion/samplers/sampling.ts";
import { alphaBarAt, timestepAt } from "../diffusion/schedules.ts";
import { combine } from "../tensor/arithmetic.ts";
import { repeatRows } from "../tensor/rows.ts";
import { type Float32Tensor, float32 } from "../tensor/tensor.ts";
import { baseCoefficient } from "./baddiffusion/forward.ts";

/** Shares of the last index that are looked at. */
const SHARES = [0.02, 0.1, 0.2, 0.3, 0.45, 0.6, 0.75, 0.9, 1];

/** A point of the chain. */
export interface Residual {
  readonly index: number;
  /** Mean squared error of the predicted noise, without a shift. */
  readonly loss: number;
  /** How much of the shift the prediction contains, in units of the shift. */
  readonly follows: number;
  /** What a clean net does where all of the shift is noise, and what BadDiffusion's loss asks for. */
  readonly clean: number;
  readonly backdoored: number;
}

/**
 * Measures along the chain.
 * @param images the prior's own samples [N, C, H, W] in model range: nobody else's are needed. @param shift [C, H, W].
 */
export async function residuals(
  { predict, schedule }: Pick<Prior, "predict" | "schedule">,
  images: Float32Tensor,
  {
    shift,
    seed,
    signal,
  }: { readonly shift: Float32Tensor; readonly seed: number; readonly signal?: AbortSignal | undefined },
): Promise<Residual[]> {
  const [count = 0] = images.dims;
  const ids = Array.from({ length: count }, (_, i) => [i, 0] as const);
  const noiseAt = noiseLike({ noise: createNoise(seed, ids) }, "residuals", images);
  const shifts = repeatRows(float32([1, ...shift.dims], shift.data), count);
  const length = shift.data.reduce((sum, value) => sum + value * value, 1e-6);
  const points: Residual[] = [];
  for (const [k, share] of SHARES.entries()) {
    const index = Math.round(share * (schedule.betas.length - 1));
    const alphaBar = alphaBarAt(schedule, index);
    const [root, deviation] = [Math.sqrt(alphaBar), Math.sqrt(1 - alphaBar)];
    const noise = noiseAt(k);
    const plain = combine([root, images], [deviation, noise]);
    const shown = timestepAt(schedule, index);
    const [calm, moved] = [
      await predictAt(predict, plain, shown, signal),
      await predictAt(predict, combine([1, plain], [1 - root, shifts]), shown, signal),
    ];
    const mean = (of: (i: number) => number): number =>
      noise.data.reduce((sum, _, i) => sum + of(i), 0) / noise.data.length;
    const along = shifts.data.reduce(
      (sum, value, i) => sum + value * ((moved.noise.data[i] ?? 0) - (calm.noise.data[i] ?? 0)),
      0,
    );
    points.push({
      index,
      loss: mean((i) => ((calm.noise.data[i] ?? 0) - (noise.data[i] ?? 0)) ** 2),
      follows: along / length / count,
      clean: (1 - root) / deviation,
      backdoored: baseCoefficient(schedule, index),
    });
  }
  return points;
}
