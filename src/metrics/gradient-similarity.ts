/** @file A perceptual distance without learned weights: how unevenly the edges of two images differ. */
import { ShapeError } from "../core/errors.ts";
import { averagePool } from "../tensor/pooling.ts";
import { rowsOf } from "../tensor/rows.ts";
import { formatDims, imageDims, sameDims } from "../tensor/shape.ts";
import { type Float32Tensor, float32 } from "../tensor/tensor.ts";

/** Keeps flat places from dividing by nothing: 170 on images of 0..255. */
const STABILISER = 170 / 255 ** 2;
/** What red, green and blue add to brightness. */
const LUMA = [0.299, 0.587, 0.114] as const;

/**
 * The gradient magnitude similarity deviation of every pair of images. It is not LPIPS, and its figures cannot be compared
 * with those of LPIPS: it needs no network, sees brightness only, and knows nothing of meaning.
 * @param a images [N, C, H, W] in [0, 1]. @param b the same dims.
 * @returns one number a pair: 0 for equal edges; about 0.05 for traces that are hard to see, 0.2 and more for damage.
 * @throws ShapeError when dims differ, or a side is shorter than 4 pixels.
 * @source Xue, Zhang, Mou, Bovik 2014, "Gradient Magnitude Similarity Deviation", eq. 4 to 6, https://arxiv.org/abs/1308.3052;
 * half size first, as there; beyond the border the edge continues.
 */
export function gradientSimilarityDeviation(a: Float32Tensor, b: Float32Tensor): Float64Array {
  const { n, h, w } = imageDims("gradient similarity", a.dims);
  if (!sameDims(a.dims, b.dims)) {
    throw new ShapeError(
      `gradient similarity: expected two batches of equal dims, got ${formatDims(a.dims)} and ${formatDims(b.dims)}.`,
    );
  }
  if (Math.min(h, w) < 4)
    throw new ShapeError(`gradient similarity: expected at least 4 pixels a side, got ${h}x${w}.`);
  const [first, second] = [gradients(a), gradients(b)];
  const size = first.length / Math.max(n, 1);
  return Float64Array.from({ length: n }, (_, image) => {
    const other = second.subarray(image * size, (image + 1) * size);
    const similarity = first.subarray(image * size, (image + 1) * size).map((x, i) => {
      const y = other[i] ?? Number.NaN;
      return (2 * x * y + STABILISER) / (x * x + y * y + STABILISER);
    });
    const mean = similarity.reduce((sum, value) => sum + value, 0) / size;
    return Math.sqrt(similarity.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (size - 1));
  });
}

/** Lengths of the Prewitt gradients of brightness at half size, image after image. */
function gradients(images: Float32Tensor): Float64Array {
  const small = averagePool(brightness(images), 2);
  const { h, w } = imageDims("gradient similarity", small.dims);
  return Float64Array.from(small.data, (_, i) => {
    const [row, column] = [Math.floor(i / w) % h, i % w];
    const start = i - row * w - column;
    const at = (down: number, right: number): number => {
      const y = Math.min(Math.max(row + down, 0), h - 1);
      const x = Math.min(Math.max(column + right, 0), w - 1);
      return small.data[start + y * w + x] ?? 0;
    };
    const across = [-1, 0, 1].reduce((sum, down) => sum + at(down, 1) - at(down, -1), 0) / 3;
    const down = [-1, 0, 1].reduce((sum, right) => sum + at(1, right) - at(-1, right), 0) / 3;
    return Math.hypot(across, down);
  });
}

/** Luma of colour images, else the mean of the channels; [N, 1, H, W]. */
function brightness(images: Float32Tensor): Float32Tensor {
  const { n, c, h, w } = imageDims("gradient similarity", images.dims);
  const weights = c === 3 ? LUMA : new Array<number>(c).fill(1 / c);
  const plane = h * w;
  const out = float32([n, 1, h, w]);
  for (let image = 0; image < n; image++) {
    const { data } = rowsOf(images, image, image + 1);
    weights.forEach((weight, channel) => {
      const from = data.subarray(channel * plane, (channel + 1) * plane);
      const to = out.data.subarray(image * plane, (image + 1) * plane);
      from.forEach((value, i) => {
        to[i] = (to[i] ?? 0) + weight * value;
      });
    });
  }
  return out;
}
