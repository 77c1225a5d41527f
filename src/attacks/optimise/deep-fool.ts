/** @file DeepFool towards one class: the shortest way over a boundary, step by step. */
import type { DifferentiableClassifier } from "../../classifiers/differentiable.ts";
import { winners } from "../../metrics/accuracy.ts";
import { type Float32Tensor, float32 } from "../../tensor/tensor.ts";
import { addScaledInto, squaredNorm } from "./kernels.ts";

/** How far {@link deepFool} goes. */
export interface DeepFoolSettings {
  readonly target: number;
  /** Most steps. */
  readonly steps: number;
  /** How much further than the boundary, as a share of the way. */
  readonly overshoot: number;
  readonly signal?: AbortSignal | undefined;
}

/** Keeps a step away from zero where two scores are equal. */
const LEAST = 1e-4;

/**
 * What must be added to an image so that it is called the target.
 * @param image [1, C, H, W]; its values may leave [0, 1]. @returns C * H * W values, all zero when it is called so already.
 * @source Moosavi-Dezfooli et al. 2016, "DeepFool", eq. 8 with one other class. https://arxiv.org/abs/1511.04599
 */
export async function deepFool(
  classifier: DifferentiableClassifier,
  image: Float32Tensor,
  { target, steps, overshoot, signal }: DeepFoolSettings,
): Promise<Float64Array> {
  const change = new Float64Array(image.data.length);
  let x = image;
  let { scores } = await classifier.classify(x, signal);
  for (let step = 0; step < steps; step++) {
    signal?.throwIfAborted();
    const [own = target] = winners(scores);
    if (own === target) break;
    // Targets that sum to zero make the loss the difference of two scores: what normalises them cancels.
    const targets = float32([1, scores.data.length]);
    targets.data[target] = 1;
    targets.data[own] = -1;
    const { losses, gradient } = await classifier.lossGradient(x, targets, signal);
    const slope = squaredNorm(gradient.data);
    if (slope === 0) break;
    addScaledInto(change, gradient.data, -(Math.abs(losses.data[0] ?? 0) + LEAST) / slope);
    x = float32(
      image.dims,
      image.data.map((value, i) => value + (1 + overshoot) * (change[i] ?? 0)),
    );
    ({ scores } = await classifier.classify(x, signal));
  }
  return change.map((value) => (1 + overshoot) * value);
}
