/**
 * @file BadDiffusion's forward process: from the target, by way of the triggered image, to noise.
 *
 * | here    | paper                                                     |
 * |---------|-----------------------------------------------------------|
 * | base    | r = M g + (1 - M) x: the trigger over a clean image       |
 * | index   | t - 1                                                     |
 * @source Chou, Chen, Ho 2023, "How to Backdoor Diffusion Models?", section 3.3, https://arxiv.org/abs/2212.05400;
 * IBM/BadDiffusion, loss.py.
 */
import type { NoiseSchedule } from "../../diffusion/schedule.ts";
import { alphaBarAt } from "../../diffusion/schedules.ts";
import { combine } from "../../tensor/arithmetic.ts";
import { concatRows, rowsOf } from "../../tensor/rows.ts";
import { type Float32Tensor, float32 } from "../../tensor/tensor.ts";

/** Everything above this belongs to a trigger. */
const NOTHING = -1;

/** Clean images with the trigger painted over them. @param images [N, C, H, W]. @param trigger [C, H, W], both in [-1, 1]. */
export function triggeredBase(images: Float32Tensor, trigger: Float32Tensor): Float32Tensor {
  const size = trigger.data.length;
  return float32(
    images.dims,
    images.data.map((value, i) => {
      const painted = trigger.data[i % size] ?? NOTHING;
      return painted > NOTHING ? painted : value;
    }),
  );
}

/**
 * How much of the base the net must add to the noise that it predicts, R_t: with it each step back is the exact mean of the
 * backdoored chain. @source eq. 9.
 */
export function baseCoefficient(schedule: NoiseSchedule, index: number): number {
  const alphaBar = alphaBarAt(schedule, index);
  const alpha = alphaBar / (index > 0 ? alphaBarAt(schedule, index - 1) : 1);
  return ((1 - Math.sqrt(alpha)) * Math.sqrt(1 - alphaBar)) / (1 - alpha);
}

/** What a net is shown and asked for. */
export interface BackdoorStep {
  /** x_t, [N, C, H, W]. */
  readonly sample: Float32Tensor;
  /** What the net is to predict, [N, C, H, W]. */
  readonly prediction: Float32Tensor;
}

/**
 * A draw of the backdoored forward process for every row: `sqrt(abar) target + (1 - sqrt(abar)) base + sqrt(1 - abar) noise`.
 * With a clean image as target and a base of zeros it is the ordinary one.
 * @param target [N, C, H, W]. @param base the same dims; zeros for clean rows. @param noise N(0, 1), the same dims.
 * @param indices of the schedule, one a row. @throws ShapeError when dims differ; OptionError outside the schedule.
 * @source eq. 5 to 9.
 */
export function backdooredStep(
  target: Float32Tensor,
  base: Float32Tensor,
  {
    noise,
    schedule,
    indices,
  }: { readonly noise: Float32Tensor; readonly schedule: NoiseSchedule; readonly indices: ArrayLike<number> },
): BackdoorStep {
  const steps = Array.from(indices, (index, row) => {
    const [y, r, eps] = [target, base, noise].map((t) => rowsOf(t, row, row + 1)) as [
      Float32Tensor,
      Float32Tensor,
      Float32Tensor,
    ];
    const signal = Math.sqrt(alphaBarAt(schedule, index));
    return {
      sample: combine([signal, y], [1 - signal, r], [Math.sqrt(1 - signal ** 2), eps]),
      prediction: combine([1, eps], [baseCoefficient(schedule, index), r]),
    };
  });
  return {
    sample: concatRows(steps.map(({ sample }) => sample)),
    prediction: concatRows(steps.map(({ prediction }) => prediction)),
  };
}
