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

function unit(value: number): number {
  return Math.min(1, Math.max(0, value));
}
