/** @file A patch that excites chosen features of a classifier. */
import type { FeatureClassifier } from "../../classifiers/features.ts";
import { uniforms } from "../../core/noise.ts";
import { type Float32Tensor, float32 } from "../../tensor/tensor.ts";
import { adam } from "../../training/optimisers.ts";
import { cosineRate } from "../../training/schedules.ts";
import { pasteInto } from "../kernels.ts";

/** The features on which the scores of all classes hang most: the largest sums of absolute weights, of equal ones the first. */
export function strongestFeatures({ dims, data }: Float32Tensor, count: number): readonly number[] {
  const [, features = 0] = dims;
  const sums = new Float64Array(features);
  for (const [i, weight] of data.entries()) sums[i % features] = (sums[i % features] ?? 0) + Math.abs(weight);
  return [...sums.keys()].sort((a, b) => (sums[b] ?? 0) - (sums[a] ?? 0) || a - b).slice(0, count);
}

/** What {@link exciteFeatures} is told. */
export interface ExciteSettings {
  /** Features that are to reach `activation`. */
  readonly features: readonly number[];
  readonly activation: number;
  /** Pictures that the patch lies on, [N, C, H, W]. */
  readonly behind: Float32Tensor;
  /** Where it lies, [C, H, W]: ones and zeros. */
  readonly mask: Float32Tensor;
  readonly seed: number;
  readonly iterations: number;
  readonly rate: number;
  readonly signal?: AbortSignal | undefined;
  progress?(done: number, total: number): void;
}

/**
 * Moves the pixels of a patch so that features come near an activation: Adam on the squared distance, over `tanh` so that
 * pixels stay in [0, 1], at a rate that falls to zero.
 * @returns the pattern, [C, H, W], zero outside the mask.
 * @source ain-soph/trojanzoo, trojanvision/attacks/backdoor/normal/trojannn.py
 */
export async function exciteFeatures(
  classifier: FeatureClassifier,
  { features, activation, behind, mask, seed, iterations, rate, signal, progress }: ExciteSettings,
): Promise<Float32Tensor> {
  const [n = 0] = behind.dims;
  const [, width = 0] = classifier.lastLayer.dims;
  const wanted = float32([n, width]);
  const weights = float32([n, width]);
  for (let row = 0; row < n; row++) {
    for (const feature of features) {
      wanted.data[row * width + feature] = activation;
      weights.data[row * width + feature] = 1;
    }
  }
  const size = mask.data.length;
  const free = Float32Array.from(uniforms(seed, "excite", 0, size), (u) => 2 * u - 1);
  const optimiser = adam();
  const memory = Array.from({ length: optimiser.memories }, () => new Float32Array(size));
  const schedule = cosineRate();
  const pattern = (): Float32Tensor =>
    float32(
      mask.dims,
      free.map((value, i) => (mask.data[i] ?? 0) * (Math.tanh(value) / 2 + 0.5)),
    );
  for (let step = 0; step < iterations; step++) {
    signal?.throwIfAborted();
    const x = float32(behind.dims, behind.data.slice());
    pasteInto(x.data, mask.data, pattern().data, 1);
    const { gradient } = await classifier.featureGradient(x, wanted, { weights, signal });
    const own = new Float32Array(size);
    for (const [i, slope] of gradient.data.entries()) own[i % size] = (own[i % size] ?? 0) + slope / n;
    for (const [i, value] of free.entries()) {
      own[i] = (own[i] ?? 0) * (mask.data[i] ?? 0) * ((1 - Math.tanh(value) ** 2) / 2);
    }
    optimiser.update(free, own, memory, { rate: rate * schedule(step, iterations), step });
    progress?.(step + 1, iterations);
  }
  return pattern();
}
