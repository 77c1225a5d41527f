/** @file The smoothed classifier: the mean of a classifier's probabilities over noisy copies of an image. */
import type { ScoreKind } from "../classifiers/classifier.ts";
import type { DifferentiableClassifier } from "../classifiers/differentiable.ts";
import { toProbabilities } from "../classifiers/probability.ts";
import { rowsOf } from "../tensor/rows.ts";
import { type Float32Tensor, float32 } from "../tensor/tensor.ts";
import { addNoiseInto, addWeightedRowsInto } from "./kernels.ts";

/** An image with the noise of its copies. */
export interface NoisyImage {
  /** [C * H * W], the image with its trigger. */
  readonly pixels: Float32Array;
  readonly target: number;
  /** [copies * C * H * W] of N(0, 1). */
  readonly noise: Float32Array;
}

/** What the smoothed classifier says of an image. */
export interface SmoothedAnswer {
  /** [K], the mean over the copies. */
  readonly probabilities: Float32Array;
  /** `-log` of the target's mean probability. */
  readonly loss: number;
  /** [C * H * W], the loss's derivative by the pixels. */
  readonly gradient: Float32Array;
}

/** What {@link smoothedAnswers} is told beside the images. */
export interface SmoothingSettings {
  /** [C, H, W] of an image. */
  readonly dims: readonly number[];
  /** Deviation of the noise in [0, 1] pixel units; copies are not clamped. */
  readonly sigma: number;
  /** What the classifier's scores are. */
  readonly kind: ScoreKind;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Asks the smoothed classifier `G(x) = mean of softmax(f(x + sigma * noise))` about images, all copies of all images in one
 * batch. The gradient of `-log G` is put together from those of single copies, `-log p_i`, each weighted by its share
 * `p_i / sum of p`, so that nothing underflows where the target is unlikely.
 * @source Sun and Kolter 2023, section 3.1
 * @deviation the authors' code takes `-log max(G, 1e-20)`, which has no gradient below.
 */
export async function smoothedAnswers(
  classifier: DifferentiableClassifier,
  images: readonly NoisyImage[],
  { dims, sigma, kind, signal }: SmoothingSettings,
): Promise<SmoothedAnswer[]> {
  const size = images[0]?.pixels.length ?? 0;
  const copies = images.map(({ noise }) => noise.length / size);
  const total = copies.reduce((sum, count) => sum + count, 0);
  const rows = float32([total, ...dims]);
  const starts = copies.map((_, i) => copies.slice(0, i).reduce((sum, count) => sum + count, 0));
  for (const [i, { pixels, noise }] of images.entries()) {
    const from = starts[i] ?? 0;
    addNoiseInto(rows.data.subarray(from * size, from * size + noise.length), pixels, noise, sigma);
  }
  const targets = images.flatMap(({ target }, i) => Array<number>(copies[i] ?? 0).fill(target));
  const { scores, losses, gradient } = await classifier.lossGradient(rows, targets, signal);
  const probabilities = toProbabilities({ scores, kind });
  return images.map((_, i) => {
    const range = [starts[i] ?? 0, (starts[i] ?? 0) + (copies[i] ?? 0)] as const;
    return combined({ losses, gradient, probabilities }, range);
  });
}

interface CopyAnswers {
  readonly losses: Float32Tensor;
  readonly gradient: Float32Tensor;
  readonly probabilities: Float32Tensor;
}

function combined(answers: CopyAnswers, [from, to]: readonly [number, number]): SmoothedAnswer {
  const count = to - from;
  const losses = answers.losses.data.subarray(from, to);
  const least = losses.reduce((low, loss) => Math.min(low, loss), Number.POSITIVE_INFINITY);
  const powers = Array.from(losses, (loss) => Math.exp(least - loss));
  const sum = powers.reduce((total, power) => total + power, 0);
  const slopes = rowsOf(answers.gradient, from, to).data;
  const gradient = new Float32Array(slopes.length / count);
  const shares = powers.map((power) => power / sum);
  addWeightedRowsInto(gradient, slopes, shares);
  const rows = rowsOf(answers.probabilities, from, to);
  const mean = new Float32Array(rows.data.length / count);
  addWeightedRowsInto(mean, rows.data, Array<number>(count).fill(1 / count));
  return { probabilities: mean, loss: least - Math.log(sum / count), gradient };
}
