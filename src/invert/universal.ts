/** @file One perturbation for many images: its loss and gradient, for several classes in one batch. */
import type { DifferentiableClassifier } from "../classifiers/differentiable.ts";
import { winners } from "../metrics/accuracy.ts";
import { clamp } from "../tensor/arithmetic.ts";
import { concatRows, rowsOf } from "../tensor/rows.ts";
import { type Float32Tensor, float32 } from "../tensor/tensor.ts";
import { addToRowsInto, addWeightedRowsInto, stopAtEdgesInto } from "./kernels.ts";

/** A perturbation with the images that it is to flip. */
export interface UniversalTry {
  /** [M, C, H, W] */
  readonly images: Float32Tensor;
  /** [C * H * W] */
  readonly change: Float32Array;
  readonly target: number;
}

/** What a perturbation does to its images. */
export interface UniversalAnswer {
  /** Mean cross-entropy to the target over the images. */
  readonly loss: number;
  /** [C * H * W], its derivative by the perturbation; nothing passes where a sum was clamped. */
  readonly gradient: Float32Array;
  /** Images that are called the target. */
  readonly hits: number;
}

/** Asks about perturbations `clamp(images + change)`, all images of all of them in one batch. */
export async function universalAnswers(
  classifier: DifferentiableClassifier,
  tries: readonly UniversalTry[],
  signal?: AbortSignal,
): Promise<UniversalAnswer[]> {
  const moved = concatRows(
    tries.map(({ images, change }) => {
      const sums = float32(images.dims);
      addToRowsInto(sums.data, images.data, change);
      return sums;
    }),
  );
  const targets = tries.flatMap(({ images, target }) => Array<number>(images.dims[0] ?? 0).fill(target));
  const { scores, losses, gradient } = await classifier.lossGradient(clamp(moved, 0, 1), targets, signal);
  stopAtEdgesInto(gradient.data, moved.data);
  const called = winners(scores);
  let from = 0;
  return tries.map(({ images, change, target }) => {
    const to = from + (images.dims[0] ?? 0);
    const shares = Array<number>(to - from).fill(1 / (to - from));
    const mean = new Float32Array(change.length);
    addWeightedRowsInto(mean, rowsOf(gradient, from, to).data, shares);
    const loss = losses.data.subarray(from, to).reduce((sum, value) => sum + value, 0) / (to - from);
    const hits = called.subarray(from, to).filter((label) => label === target).length;
    from = to;
    return { loss, gradient: mean, hits };
  });
}
