/** @file DeepFool towards one class: the shortest way over a boundary, step by step. */
import type { DifferentiableClassifier } from "../../classifiers/differentiable.ts";
import { winnersOf } from "./winners.ts";
import { type Float32Tensor, float32 } from "../../tensor/tensor.ts";
import { addScaledInto, squaredNorm } from "./kernels.ts";

/** How far {@link deepFool} goes. */
export interface DeepFoolSettings {
  readonly target: number;
  /** Most steps. */
  readonly steps: number;
  /** How much further than the boundary. */
  readonly overshoot: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * What must be added to an image so that it is called the target.
 * @param image [1, C, H, W]; its values may leave [0, 1]. @returns C * H * W values.
 * @source Moosavi-Dezfooli et al. 2016, "DeepFool", eq. 8 for one target. https://arxiv.org/abs/1511.04599
 */
export async function deepFool(
  classifier: DifferentiableClassifier,
  image: Float32Tensor,
  { target, steps, overshoot, signal }: DeepFoolSettings,
): Promise<Float64Array> {
  const change = new Float64Array(image.data.length);
  let [own = target] = winnersOf((await classifier.classify(image, signal)).scores);
  for (let step = 0; step < steps && own !== target; step++) {
    signal?.throwIfAborted();
    const x = float32(image.dims, image.data.map((value, i) => value + (1 + overshoot) * (change[i] ?? 0)));
    const { scores, losses, gradient } = await classifier.lossGradient(x, difference(own, target, image, classesOf(scores0)), signal);
    [own = target] = winnersOf(scores);
  }
  return change.map((value) => (1 + overshoot) * value);
}
