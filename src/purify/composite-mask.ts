/** @file From saliency maps to the pixels that Sancdifi protects. */
import { quantile } from "../metrics/conformal.ts";
import { imageDims } from "../tensor/shape.ts";
import { type Float32Tensor, float32, type RealTensor } from "../tensor/tensor.ts";

/**
 * The classes with the highest scores of every image, best first; equal scores in the order of the classes.
 * @param probabilities [N, K]. @param r how many; all K where there are fewer.
 */
export function topClasses(probabilities: Float32Tensor, r: number): number[][] {
  const [n = 0, k = 0] = probabilities.dims;
  return Array.from({ length: n }, (_, image) => {
    const scores = probabilities.data.subarray(image * k, (image + 1) * k);
    return Array.from(scores, (score, label) => ({ score, label }))
      .sort((a, b) => b.score - a.score)
      .slice(0, r)
      .map(({ label }) => label);
  });
}

/**
 * The composite mask A: a pixel is kept where no class has it among its most salient ones.
 * @param saliency [N, r, H, W]. @param percentile d in 0..100: kept where S_c is at most the d-th percentile of S_c
 *   (linear interpolation), ties included.
 * @returns [N, 1, H, W]: 1 protects, 0 marks what is salient.
 * @source May et al. 2023, "Salient Conditional Diffusion for Defending Against Backdoor Attacks", algorithm 1.
 */
export function compositeMask(saliency: RealTensor, percentile: number): Float32Tensor {
  const { n, c, h, w } = imageDims("composite mask", saliency.dims);
  const plane = h * w;
  const kept = float32([n, 1, h, w], new Float32Array(n * plane).fill(1));
  for (let map = 0; map < n * c; map++) {
    const values = saliency.data.subarray(map * plane, (map + 1) * plane);
    const limit = quantile(values, percentile / 100);
    const start = Math.floor(map / c) * plane;
    values.forEach((value, p) => {
      if (value > limit) kept.data[start + p] = 0;
    });
  }
  return kept;
}

/** The first map of every image, [N, 1, H, W], of saliency [N, r, H, W]. */
export function firstMaps(saliency: RealTensor): Float32Tensor {
  const { n, c, h, w } = imageDims("saliency", saliency.dims);
  const maps = float32([n, 1, h, w]);
  for (let image = 0; image < n; image++) {
    const start = image * c * h * w;
    maps.data.set(saliency.data.subarray(start, start + h * w), image * h * w);
  }
  return maps;
}
