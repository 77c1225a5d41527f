/** @file Batches that teach a net to predict noise: clean images with noise of a random strength on top. */
import { createNoise, uniforms } from "../../core/noise.ts";
import type { NoiseSchedule } from "../../diffusion/schedule.ts";
import type { Feeds } from "../../runtime/runtime.ts";
import { float32, type TensorOf } from "../../tensor/tensor.ts";
import type { StepBatches } from "../loop.ts";
import { noisedInto } from "./kernels.ts";
import { createOrder, type OrderSettings } from "./order.ts";

/** Where such batches come from. */
export interface DiffusionBatches extends Omit<OrderSettings, "items"> {
  /** uint8 [M, C, H, W] */
  readonly images: TensorOf<"uint8">;
  readonly schedule: NoiseSchedule;
}

/**
 * Feeds of a U-Net and of its loss: `sample` [N, C, H, W] in the model's range, `timestep` [N] uniform over the
 * schedule, `noise` [N, C, H, W] from N(0, I). Noise and timestep are functions of (seed, step, row).
 * @source Ho et al. 2020, "Denoising Diffusion Probabilistic Models", algorithm 1. https://arxiv.org/abs/2006.11239
 */
export function diffusionBatches({ images, schedule, batch, seed }: DiffusionBatches): StepBatches<Feeds> {
  const [items = 0, ...dims] = images.dims;
  const order = createOrder({ items, batch, seed });
  const size = images.data.length / items;
  const steps = schedule.alphasBar.length;
  return async (step) => {
    const noise = new Float32Array(batch * size);
    const sample = new Float32Array(batch * size);
    const timestep = new Float32Array(batch);
    const draw = createNoise(seed, [[step, 0]]);
    const chances = uniforms(seed, "timestep", step, batch);
    order(step).forEach((item, row) => {
      const t = Math.floor((chances[row] ?? 0) * steps);
      const signal = Math.sqrt(schedule.alphasBar[t] ?? 0);
      const deviation = Math.sqrt(1 - (schedule.alphasBar[t] ?? 0));
      const own = draw(0, "training", row, size);
      noise.set(own, row * size);
      timestep[row] = schedule.timesteps[t] ?? t;
      noisedInto(sample.subarray(row * size, (row + 1) * size), {
        pixels: images.data.subarray(item * size, (item + 1) * size),
        noise: own,
        signal,
        deviation,
      });
    });
    const shape = [batch, ...dims];
    return {
      sample: float32(shape, sample),
      timestep: float32([batch], timestep),
      noise: float32(shape, noise),
    };
  };
}
