/**
 * @file RISE: where a black box looks. Its scores under many random masks are averaged over the masks; what had to be
 * visible for a high score is salient. Costs one query a mask and image, needs no gradient.
 *
 * | here  | paper                                    |
 * |-------|------------------------------------------|
 * | masks | N random masks                           |
 * | cells | s, cells along each axis of a small mask |
 * | keep  | p, probability that a cell is kept       |
 * @source Petsiuk et al. 2018, "RISE: Randomized Input Sampling for Explanation of Black-box Models", section 3, https://arxiv.org/abs/1806.07421; eclique/RISE, explanations.py
 */
import type { Classifier } from "../classifiers/classifier.ts";
import { toProbabilities } from "../classifiers/probability.ts";
import { uniformFromNoise } from "../core/noise.ts";
import type { RunContext } from "../core/run-context.ts";
import { normalQuantile } from "../metrics/normal.ts";
import { axisWeights } from "../tensor/resize.ts";
import { rowsOf } from "../tensor/rows.ts";
import { imageDims } from "../tensor/shape.ts";
import { type Float32Tensor, float32, type TensorOf } from "../tensor/tensor.ts";
import { addWeightedMasksInto, enlargedMasksInto, maskedInto } from "./kernels.ts";

/** Small masks and where their enlarged versions are cut. */
export interface MaskSeeds {
  /** [count, cells, cells], 1 for a kept cell, 0 for a hidden one. */
  readonly grids: Uint8Array;
  /** [count, 2], first row and column of the cut, each below the size of a cell. */
  readonly offsets: Int32Array;
}

/** Settings of RISE, and what rides along. */
export interface RiseRun {
  readonly masks: number;
  readonly cells: number;
  readonly keep: number;
  /** What hidden pixels become: black, or the image's own mean colour. */
  readonly fill: "black" | "mean";
  readonly run: RunContext;
  /** Told how many queries were just answered. */
  readonly onQueries?: (queries: number) => void;
}

/** The most values that one batch of queries may hold. */
const QUERY_VALUES = 2 ** 21;

/** The most images in one batch of queries. */
const QUERY_ROWS = 256;

/**
 * Masks of an image size: each small mask is stretched over cells + 1 cells of the image (bilinear, half-pixel centres, the edge
 * continues) and cut out at its offset.
 * @returns [count, 1, height, width] in [0, 1], 1 where the image stays.
 */
export function enlargedMasks(
  { grids, offsets }: MaskSeeds,
  { cells, height, width }: { readonly cells: number; readonly height: number; readonly width: number },
): Float32Tensor {
  const enlarged = (size: number) => axisWeights(cells, (cells + 1) * Math.ceil(size / cells), "bilinear", false);
  const masks = float32([offsets.length / 2, 1, height, width]);
  const layout = { offsets, cells, height, width, down: enlarged(height), across: enlarged(width) };
  enlargedMasksInto(masks.data, grids, layout);
  return masks;
}

/** Which masks to draw for which image size. */
export interface MaskDraw {
  readonly first: number;
  readonly count: number;
  readonly cells: number;
  readonly keep: number;
  readonly height: number;
  readonly width: number;
}

/**
 * Small masks number `first` to `first + count - 1` of one image: each is a function of the image's id and its own
 * number, so the first 200 of 2000 masks are those that 200 masks would have been.
 */
export function drawMasks(
  run: Pick<RunContext, "noise">,
  image: number,
  { first, count, cells, keep, height, width }: MaskDraw,
): MaskSeeds {
  const size = cells * cells;
  const grids = new Uint8Array(count * size);
  const offsets = new Int32Array(2 * count);
  const threshold = normalQuantile(keep);
  for (let k = 0; k < count; k++) {
    run.noise(image, "mask", first + k, size).forEach((value, i) => {
      grids[k * size + i] = value < threshold ? 1 : 0;
    });
    const [row = 0, column = 0] = uniformFromNoise(run.noise, image, "offset", first + k, 2);
    offsets[2 * k] = Math.floor(row * Math.ceil(height / cells));
    offsets[2 * k + 1] = Math.floor(column * Math.ceil(width / cells));
  }
  return { grids, offsets };
}

/**
 * One image under every mask.
 * @param image [1, C, H, W] in [0, 1]. @param masks [count, 1, H, W]. @param colour C values in [0, 1] for hidden pixels.
 * @returns [count, C, H, W].
 */
export function maskedImages(image: Float32Tensor, masks: Float32Tensor, colour: readonly number[]): Float32Tensor {
  const { c, h, w } = imageDims("masked images", image.dims);
  const out = float32([masks.dims[0] ?? 0, c, h, w]);
  maskedInto(out.data, image.data, masks.data, colour, h * w);
  return out;
}

/**
 * Adds the saliency that a batch of masks contributes: sum over masks of P(class | masked image) * mask.
 * @param saliency [classes, H, W], changed. @param probabilities [count, K]. @param classes which of the K to add up.
 */
export function addSaliencyInto(
  saliency: Float64Array,
  masks: Float32Tensor,
  probabilities: Float32Tensor,
  classes: readonly number[],
): void {
  const [count = 0, k = 0] = probabilities.dims;
  const plane = saliency.length / classes.length;
  classes.forEach((label, i) => {
    const weights = Float64Array.from({ length: count }, (_, mask) => probabilities.data[mask * k + label] ?? 0);
    addWeightedMasksInto(saliency.subarray(i * plane, (i + 1) * plane), masks.data, weights);
  });
}

/**
 * Saliency of given classes for every image of a batch: (1 / (N p)) sum over masks of P(class | masked image) * mask.
 * @param images [N, C, H, W] in [0, 1]. @param classes for each image, equally many.
 * @returns float64 [N, classes, H, W]. @throws what the classifier throws; the signal's reason when aborted.
 */
export async function riseSaliency(
  images: Float32Tensor,
  classes: readonly (readonly number[])[],
  classifier: Pick<Classifier, "classify">,
  { masks: total, cells, keep, fill, run, onQueries }: RiseRun,
): Promise<TensorOf<"float64">> {
  const { n, c, h, w } = imageDims("rise", images.dims);
  const size = { cells, height: h, width: w };
  const rows = Math.max(1, Math.min(QUERY_ROWS, Math.floor(QUERY_VALUES / (c * h * w))));
  const depth = classes[0]?.length ?? 0;
  const data = new Float64Array(n * depth * h * w);
  for (let image = 0; image < n; image++) {
    const one = rowsOf(images, image, image + 1);
    const colour = fill === "black" ? new Array<number>(c).fill(0) : meanColour(one);
    const saliency = data.subarray(image * depth * h * w, (image + 1) * depth * h * w);
    for (let first = 0; first < total; first += rows) {
      run.signal?.throwIfAborted();
      const count = Math.min(rows, total - first);
      const masks = enlargedMasks(drawMasks(run, image, { ...size, first, count, keep }), size);
      const answer = await classifier.classify(maskedImages(one, masks, colour), run.signal);
      addSaliencyInto(saliency, masks, toProbabilities(answer), classes[image] ?? []);
      onQueries?.(count);
    }
  }
  return { dtype: "float64", dims: [n, depth, h, w], data: data.map((value) => value / (total * keep)) };
}

/** Mean of every channel of one image [1, C, H, W]. */
function meanColour(image: Float32Tensor): number[] {
  const { c, h, w } = imageDims("mean colour", image.dims);
  return Array.from({ length: c }, (_, channel) => {
    const plane = image.data.subarray(channel * h * w, (channel + 1) * h * w);
    return plane.reduce((sum, value) => sum + value, 0) / plane.length;
  });
}
