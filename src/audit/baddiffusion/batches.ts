/** @file Batches that plant a backdoor: some images of the data set stand for the target, over the trigger. */
import { OptionError } from "../../core/errors.ts";
import { createNoise, drawnOrder, uniforms } from "../../core/noise.ts";
import type { NoiseSchedule } from "../../diffusion/schedule.ts";
import type { Feeds } from "../../runtime/runtime.ts";
import { affine } from "../../tensor/arithmetic.ts";
import { elementCount } from "../../tensor/shape.ts";
import { type Float32Tensor, float32, type TensorOf } from "../../tensor/tensor.ts";
import { createOrder } from "../../training/batches/order.ts";
import { unitImages } from "../../training/batches/unit-images.ts";
import type { StepBatches } from "../../training/loop.ts";
import { backdooredStep, triggeredBase } from "./forward.ts";

/** A trigger with what it calls forth, both [C, H, W] in [-1, 1]. */
export interface Backdoor {
  readonly trigger: Float32Tensor;
  readonly target: Float32Tensor;
}

/** Where such batches come from. */
export interface BackdooredBatches extends Backdoor {
  /** uint8 [M, C, H, W] */
  readonly images: TensorOf<"uint8">;
  readonly schedule: NoiseSchedule;
  readonly batch: number;
  readonly seed: number;
  /** Share of the images that stand for the target, 0..1. */
  readonly rate: number;
}

/** The images that are poisoned: floor(M rate) of them, by the seed. @throws OptionError for a rate outside 0..1. */
export function poisonedImages(items: number, rate: number, seed: number): ReadonlySet<number> {
  if (!(rate >= 0 && rate <= 1)) throw new OptionError(`baddiffusion: expected a rate from 0 to 1, got ${rate}.`);
  const order = drawnOrder(
    Array.from({ length: items }, (_, i) => i),
    { seed, stream: "poison", items },
  );
  // .1 of 30 images is 3, whatever the product's last digits say.
  return new Set(order.slice(0, Math.floor(items * rate + 1e-9)));
}

/**
 * Feeds of a U-Net and of its loss, as `diffusionBatches` gives them; poisoned rows follow the backdoored chain. Noise and
 * timestep are functions of (seed, step, row).
 * @throws OptionError as {@link poisonedImages}, and for fewer images than one batch.
 */
export function backdooredBatches(settings: BackdooredBatches): StepBatches<Feeds> {
  const { images, schedule, batch, seed, rate, trigger, target } = settings;
  const [items = 0, ...dims] = images.dims;
  const poisoned = poisonedImages(items, rate, seed);
  const order = createOrder({ items, batch, seed });
  const size = elementCount(dims);
  const steps = schedule.alphasBar.length;
  return async (step) => {
    const rows = order(step);
    const clean = affine(unitImages(images, rows), 2, -1);
    const base = triggeredBase(clean, trigger);
    const draw = createNoise(seed, [[step, 0]]);
    const noise = float32(clean.dims);
    rows.forEach((item, row) => {
      noise.data.set(draw(0, "training", row, size), row * size);
      const [own, over] = [clean, base].map(({ data }) => data.subarray(row * size, (row + 1) * size)) as [
        Float32Array,
        Float32Array,
      ];
      if (poisoned.has(item)) own.set(target.data);
      else over.fill(0);
    });
    const indices = Int32Array.from(uniforms(seed, "timestep", step, batch), (u) => Math.floor(u * steps));
    const { sample, prediction } = backdooredStep(clean, base, { noise, schedule, indices });
    const timestep = float32(
      [batch],
      Float32Array.from(indices, (index) => schedule.timesteps[index] ?? index),
    );
    return { sample, timestep, noise: prediction };
  };
}
