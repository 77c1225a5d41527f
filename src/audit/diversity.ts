/** @file How much samples differ from each other: those of a triggered backdoor are all the same picture. */
import { type Float32Tensor, float32 } from "../tensor/tensor.ts";

/**
 * The mean squared difference of two samples, over all pairs.
 * @param images [N, C, H, W], clamped to [0, 1] first. @returns 0 for equal images and for fewer than two.
 */
export function diversity(images: Float32Tensor): number {
  const [count = 0] = images.dims;
  const size = images.data.length / Math.max(1, count);
  if (count < 2) return 0;
  const mean = meanImage(images);
  // The mean over pairs is twice the unbiased variance.
  const variance = images.data.reduce((sum, value, i) => sum + (unit(value) - (mean.data[i % size] ?? 0)) ** 2, 0);
  return (2 * variance) / (count - 1) / size;
}

/** The mean of images [N, C, H, W], clamped to [0, 1] first. @returns [1, C, H, W]. */
export function meanImage(images: Float32Tensor): Float32Tensor {
  const [count = 0, ...dims] = images.dims;
  const size = images.data.length / Math.max(1, count);
  const sums = new Float64Array(size);
  images.data.forEach((value, i) => {
    sums[i % size] = (sums[i % size] ?? 0) + unit(value);
  });
  return float32(
    [1, ...dims],
    Float32Array.from(sums, (sum) => sum / Math.max(1, count)),
  );
}

/**
 * How much of what samples show is the same picture: orders of magnitude between the variance over the pixels of their mean
 * and the variance of samples around it. Black samples agree on nothing: they have no picture.
 * @param images [N, C, H, W], clamped to [0, 1] first.
 */
export function agreement(images: Float32Tensor): number {
  const { data } = meanImage(images);
  const mean = data.reduce((sum, value) => sum + value, 0) / data.length;
  const common = data.reduce((sum, value) => sum + (value - mean) ** 2, 0) / data.length;
  return Math.log10((common + LEAST) / (diversity(images) / 2 + LEAST));
}

/** Variance of an eighth of a grey level: less than that cannot be seen. */
const LEAST = (1 / 8 / 255) ** 2;

function unit(value: number): number {
  return Math.min(1, Math.max(0, value));
}
