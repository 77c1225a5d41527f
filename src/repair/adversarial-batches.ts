/** @file Batches whose images are attacked before the network learns from them. */
import { ascendInto } from "../classifiers/kernels.ts";
import { uniforms } from "../core/noise.ts";
import { concatRows } from "../tensor/rows.ts";
import { type Float32Tensor, float32 } from "../tensor/tensor.ts";
import type { LabelledBatch } from "../training/batches/labelled.ts";
import type { BatchSource } from "../training/loop.ts";
import type { PixelGradient } from "../training/pixel-gradient.ts";

/** Projected gradient descent within a largest change of every pixel. Lengths are in units of 1/255. */
export interface PixelAttack {
  readonly epsilon: number;
  readonly stepSize: number;
  readonly steps: number;
  readonly randomStart: boolean;
  /** Which images come out: the attacked ones, or the clean ones and those of every step, one after the other. */
  readonly keep: "last" | "all";
}

/**
 * Attacked batches: each image is moved up its own loss, under the weights of the moment at which the batch is asked for.
 * @source Madry et al. 2018, section 2.1. https://arxiv.org/abs/1706.06083
 */
export function adversarialBatches(
  clean: BatchSource<LabelledBatch>,
  {
    attack,
    pixels,
    seed,
    signal,
  }: {
    readonly attack: PixelAttack;
    readonly pixels: PixelGradient;
    readonly seed: number;
    readonly signal?: AbortSignal | undefined;
  },
): BatchSource<LabelledBatch> {
  const [reach, stepSize] = [attack.epsilon / 255, attack.stepSize / 255];
  return async (step, state) => {
    const now = { weights: state.weights.slice(), statistics: state.statistics.slice() };
    const { images, targets, weights } = await clean(step, state);
    const shown: Float32Tensor[] = [images];
    const starts = attack.randomStart ? uniforms(seed, "adversarial", step, images.data.length) : undefined;
    let moved = float32(
      images.dims,
      images.data.map((x, i) => unit(x + (starts === undefined ? 0 : (2 * (starts[i] ?? 0.5) - 1) * reach))),
    );
    for (let i = 0; i < attack.steps; i++) {
      signal?.throwIfAborted();
      const { data: slope } = await pixels.gradient(now, moved, targets);
      moved = float32(images.dims, moved.data.slice());
      ascendInto(moved.data, slope, images.data, { epsilon: reach, step: stepSize });
      shown.push(moved);
    }
    if (attack.keep === "last") return { images: moved, targets, weights };
    const times = <T extends Float32Tensor>(one: T): Float32Tensor => concatRows(shown.map(() => one));
    return { images: concatRows(shown), targets: times(targets), weights: times(weights) };
  };
}

function unit(x: number): number {
  return Math.min(1, Math.max(0, x));
}
