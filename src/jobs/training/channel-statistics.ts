/** @file Mean and deviation of every channel of a data set: what its classifiers subtract and divide by. */
import { imageDims } from "../../tensor/shape.ts";
import type { TensorOf } from "../../tensor/tensor.ts";

/**
 * Mean and deviation per channel of pixels in [0, 1], rounded to four digits: as data sets publish theirs.
 * @param images uint8 [N, C, H, W]. A channel that never changes gets the deviation 1.
 */
export function channelStatistics(images: TensorOf<"uint8">): { mean: number[]; std: number[] } {
  const { n, c, h, w } = imageDims("statistics", images.dims);
  const size = h * w;
  const round = (value: number): number => Math.round(value * 1e4) / 1e4;
  const channels = Array.from({ length: c }, (_, channel) => {
    const counts = new Float64Array(256);
    for (let image = 0; image < n; image++) {
      const from = (image * c + channel) * size;
      for (const value of images.data.subarray(from, from + size)) counts[value] = (counts[value] ?? 0) + 1;
    }
    const mean = counts.reduce((sum, count, value) => sum + count * value, 0) / (n * size);
    const variance = counts.reduce((sum, count, value) => sum + count * (value - mean) ** 2, 0) / (n * size);
    return { mean: round(mean / 255), std: round(Math.sqrt(variance) / 255) || 1 };
  });
  return { mean: channels.map(({ mean }) => mean), std: channels.map(({ std }) => std) };
}
