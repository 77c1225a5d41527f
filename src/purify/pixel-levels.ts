/** @file How much of its heavy noise SampDetox gives to each pixel: less where the light result resembles the input. */
import { ssimConventions, ssimMap } from "../metrics/ssim.ts";
import { imageDims } from "../tensor/shape.ts";
import type { RealTensor, TensorOf } from "../tensor/tensor.ts";
import { stretched } from "./evidence.ts";
import { channelSumInto } from "./kernels.ts";

/** Weights of red, green and blue in the grey similarity map. The authors' code has those of BGR on RGB images. */
const greyWeights = { rgb: [0.3, 0.59, 0.11], bgr: [0.11, 0.59, 0.3] } as const;

/**
 * How much each pixel of the light result resembles the input, from 0 (least of its image) to 1 (most).
 * @param images [N, C, H, W] in [0, 1]. @param light the same dims. @param dataRange L of the SSIM: 255 on unit images
 *   makes it a map of squared errors, see docs/methods/sampdetox.md. @param grey weights for 3 channels, else their mean.
 * @returns `ssim` before and `similarity` after stretching, [N, 1, H, W]; 1 everywhere where an image did not change.
 */
export function similarityMap(
  images: RealTensor,
  light: RealTensor,
  { dataRange, grey }: { readonly dataRange: number; readonly grey: "rgb" | "bgr" },
): { ssim: TensorOf<"float64">; similarity: TensorOf<"float64"> } {
  const { n, c, h, w } = imageDims("sampdetox", images.dims);
  const map = ssimMap(images, light, { ...ssimConventions.scikitImage, dataRange });
  const weights = c === 3 ? greyWeights[grey] : new Array<number>(c).fill(1 / c);
  const data = new Float64Array(n * h * w);
  channelSumInto(data, map.data, weights, h * w);
  const ssim: TensorOf<"float64"> = { dtype: "float64", dims: [n, 1, h, w], data };
  return { ssim, similarity: stretched(ssim, 1) };
}

/** The level of every pixel: floor((1 - similarity) t2), 0..t2. */
export function pixelLevels(similarity: RealTensor, t2: number): Int32Array {
  return Int32Array.from(similarity.data, (value) => Math.floor((1 - value) * t2));
}

/** The smallest visited index at or above each level, or the largest where there is none. */
export function snappedUp(levels: Int32Array, visited: readonly number[]): Int32Array {
  const ascending = [...visited].sort((a, b) => a - b);
  const highest = ascending.at(-1) ?? 0;
  const table = Int32Array.from({ length: highest + 1 }, (_, level) => ascending.find((index) => index >= level) ?? 0);
  return levels.map((level) => table[level] ?? highest);
}
