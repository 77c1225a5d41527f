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
import type { RunContext } from "../core/run-context.ts";
import { normalCdf, normalQuantile } from "../metrics/normal.ts";
import { axisWeights } from "../tensor/resize.ts";
import { rowsOf } from "../tensor/rows.ts";
import { imageDims } from "../tensor/shape.ts";
import { type Float32Tensor, float32, type TensorOf } from "../tensor/tensor.ts";
import { addInto, addWeightedInto, enlargeInto, maskedInto } from "./kernels.ts";

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

/** Which masks to draw for which image size. */
export interface MaskDraw extends MaskSize {
  readonly first: number;
  readonly count: number;
  readonly keep: number;
}

/** Cells along each axis of a small mask, and the size of the image. */
export interface MaskSize {
  readonly cells: number;
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
  const limit = normalQuantile(keep);
  const place = (value: number, cell: number) => Math.min(Math.floor(normalCdf(value) * cell), cell - 1);
  for (let k = 0; k < count; k++) {
    const values = run.noise(image, "mask", first + k, size + 2);
    for (let i = 0; i < size; i++) grids[k * size + i] = (values[i] ?? 0) < limit ? 1 : 0;
    offsets[2 * k] = place(values[size] ?? 0, Math.ceil(height / cells));
    offsets[2 * k + 1] = place(values[size + 1] ?? 0, Math.ceil(width / cells));
  }
  return { grids, offsets };
}

/**
 * One image under every mask. A small mask is stretched over cells + 1 cells of the image (bilinear, half-pixel
 * centres, its edge continues) and cut out at its offset.
 * @param image [1, C, H, W] in [0, 1]. @param colour C values in [0, 1] for hidden pixels.
 * @returns [count, C, H, W].
 */
export function maskedImages(
  image: Float32Tensor,
  { grids, offsets }: MaskSeeds,
  { cells, colour }: { readonly cells: number; readonly colour: readonly number[] },
): Float32Tensor {
  const { c, h, w } = imageDims("masked images", image.dims);
  const out = float32([offsets.length / 2, c, h, w]);
  const enlarge = enlarger({ cells, height: h, width: w });
  const fill = Float64Array.from(colour);
  const mask = new Float64Array(h * w);
  for (let k = 0; k < offsets.length / 2; k++) {
    enlarge(mask, grids, k * cells * cells, [offsets[2 * k] ?? 0, offsets[2 * k + 1] ?? 0]);
    maskedInto(out.data, image.data, mask, { fill, to: k * c * h * w });
  }
  return out;
}

/**
 * Adds what some masks contribute to saliency: the sum over masks of P(class | masked image) * mask. Enlarging is
 * linear, so masks with the same offset are added up while they are small.
 * @param saliency [classes, H, W], changed. @param probabilities [count, K]. @param classes which of the K to add up.
 */
export function addSaliencyInto(
  saliency: Float64Array,
  { grids, offsets }: MaskSeeds,
  probabilities: Float32Tensor,
  { classes, ...size }: MaskSize & { readonly classes: readonly number[] },
): void {
  const [count = 0, k = 0] = probabilities.dims;
  const cells = size.cells ** 2;
  const sums = new Map<number, { offset: readonly [number, number]; maps: Float64Array }>();
  const weights = new Float64Array(classes.length);
  for (let mask = 0; mask < count; mask++) {
    const offset = [offsets[2 * mask] ?? 0, offsets[2 * mask + 1] ?? 0] as const;
    const key = offset[0] * size.width + offset[1];
    const sum = sums.get(key) ?? { offset, maps: new Float64Array(classes.length * cells) };
    sums.set(key, sum);
    for (let i = 0; i < classes.length; i++) weights[i] = probabilities.data[mask * k + (classes[i] ?? 0)] ?? 0;
    addWeightedInto(sum.maps, grids, weights, mask * cells);
  }
  const enlarge = enlarger(size);
  const plane = new Float64Array(size.height * size.width);
  for (const { offset, maps } of sums.values()) {
    for (let i = 0; i < classes.length; i++) {
      enlarge(plane, maps, i * cells, offset);
      addInto(saliency, plane, i * plane.length);
    }
  }
}

/** Enlarges small maps of one size; see {@link maskedImages}. */
function enlarger({ cells, height, width }: MaskSize) {
  const along = (size: number) => axisWeights(cells, (cells + 1) * Math.ceil(size / cells), "bilinear", false);
  const enlargement = { cells, height, width, down: along(height), across: along(width) };
  const rows = new Float64Array(cells * width);
  return (out: Float64Array, maps: Uint8Array | Float64Array, from: number, [top, left]: readonly [number, number]) =>
    enlargeInto(out, maps, enlargement, { from, top, left, rows });
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
  { masks, cells, keep, fill, run, onQueries }: RiseRun,
): Promise<TensorOf<"float64">> {
  const { n, c, h, w } = imageDims("rise", images.dims);
  const size = { cells, height: h, width: w };
  const rows = Math.max(1, Math.min(QUERY_ROWS, Math.floor(QUERY_VALUES / (c * h * w))));
  const depth = classes[0]?.length ?? 0;
  const data = new Float64Array(n * depth * h * w);
  for (const [image, own] of classes.entries()) {
    const one = rowsOf(images, image, image + 1);
    const colour = fill === "black" ? new Array<number>(c).fill(0) : meanColour(one);
    const saliency = data.subarray(image * depth * h * w, (image + 1) * depth * h * w);
    for (let first = 0; first < masks; first += rows) {
      run.signal?.throwIfAborted();
      const count = Math.min(rows, masks - first);
      const seeds = drawMasks(run, image, { ...size, first, count, keep });
      const answer = await classifier.classify(maskedImages(one, seeds, { cells, colour }), run.signal);
      addSaliencyInto(saliency, seeds, toProbabilities(answer), { ...size, classes: own });
      onQueries?.(count);
    }
  }
  return { dtype: "float64", dims: [n, depth, h, w], data: data.map((value) => value / (masks * keep)) };
}

/** Mean of every channel of one image [1, C, H, W]. */
function meanColour(image: Float32Tensor): number[] {
  const { c, h, w } = imageDims("mean colour", image.dims);
  return Array.from({ length: c }, (_, channel) => {
    const plane = image.data.subarray(channel * h * w, (channel + 1) * h * w);
    return plane.reduce((sum, value) => sum + value, 0) / plane.length;
  });
}
