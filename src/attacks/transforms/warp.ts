/**
 * @file WaNet's warping field: a coarse grid of random displacements, drawn smooth, along which images are sampled.
 *
 * | here     | paper                                                      |
 * |----------|------------------------------------------------------------|
 * | flow     | P, [2, k, k], of mean absolute value 1; x comes before y   |
 * | strength | s                                                          |
 * | rescale  | the factor that keeps the grid inside the image, 1 or less |
 */
import { uniforms } from "../../core/noise.ts";
import { cubic } from "../../tensor/interpolation.ts";
import { imageDims } from "../../tensor/shape.ts";
import { type Float32Tensor, float32 } from "../../tensor/tensor.ts";
import { sampleInto } from "./kernels.ts";

/** Where each pixel of an image is read: columns and rows in [-1, 1] from edge pixel to edge pixel, [H, W] each. */
export interface SamplingGrid {
  readonly x: Float64Array;
  readonly y: Float64Array;
}

/** What a field is made from. */
export interface WarpSettings {
  /** [2, k, k] */
  readonly flow: Float32Tensor;
  readonly strength: number;
  readonly rescale: number;
}

/** A coarse grid of displacements drawn from the seed, [2, k, k]: uniform in [-1, 1], then of mean absolute value 1. */
export function drawFlow(seed: number, k: number): Float32Tensor {
  const values = uniforms(seed, "warp", 0, 2 * k * k).map((u) => 2 * u - 1);
  return float32([2, k, k], Float32Array.from(unitMean(values)));
}

/** Values divided by their mean absolute value. */
export function unitMean(values: Float64Array): Float64Array {
  const mean = values.reduce((sum, value) => sum + Math.abs(value), 0) / values.length;
  return values.map((value) => value / mean);
}

/**
 * The sampling grid of a field: identity plus strength times the flow drawn smooth (bicubic, corners aligned) over the
 * side, rescaled and clamped to the image.
 * @source Nguyen and Tran 2021, "WaNet", section 3.2, eq. 3 to 5, with the scale of the authors' code.
 */
export function samplingGrid({ flow, strength, rescale }: WarpSettings, height: number, width: number): SamplingGrid {
  const [, k = 1] = flow.dims;
  const [dx, dy] = [0, 1].map((axis) =>
    upsample(flow.data.subarray(axis * k * k, (axis + 1) * k * k), k, [height, width]),
  );
  const at = (i: number, size: number): number => (size > 1 ? (2 * i) / (size - 1) - 1 : 0);
  const cells = Array.from({ length: height * width }, (_, i) => i);
  const grid = (identity: number, displacement: number, side: number): number =>
    clamp((identity + (strength * displacement) / side) * rescale);
  return {
    x: Float64Array.from(cells, (i) => grid(at(i % width, width), dx?.[i] ?? 0, width)),
    y: Float64Array.from(cells, (i) => grid(at(Math.floor(i / width), height), dy?.[i] ?? 0, height)),
  };
}

/**
 * A grid that is disturbed at every pixel alone: the noise mode, which the model learns to ignore.
 * @param disturbance 2 H W numbers in [-1, 1], x and y of each pixel in turn.
 */
export function disturbed(
  grid: SamplingGrid,
  disturbance: ArrayLike<number>,
  [height, width]: readonly [number, number],
): SamplingGrid {
  return {
    x: grid.x.map((value, i) => clamp(value + (disturbance[2 * i] ?? 0) / width)),
    y: grid.y.map((value, i) => clamp(value + (disturbance[2 * i + 1] ?? 0) / height)),
  };
}

/**
 * Reads every image of a batch along a grid, bilinear with corners aligned.
 * @param gridOf the grid of a row of the batch. @returns new images in the range of the old ones.
 */
export function warp(images: Float32Tensor, gridOf: (row: number) => SamplingGrid): Float32Tensor {
  const { n, c, h, w } = imageDims("warp", images.dims);
  const out = float32(images.dims);
  const size = h * w;
  for (let row = 0; row < n; row++) {
    const grid = gridOf(row);
    for (let channel = 0; channel < c; channel++) {
      const from = (row * c + channel) * size;
      sampleInto(out.data.subarray(from, from + size), images.data.subarray(from, from + size), grid, [h, w]);
    }
  }
  return out;
}

function clamp(value: number): number {
  return Math.min(Math.max(value, -1), 1);
}

/** Bicubic with aligned corners and a = -0.75; beyond the border the edge continues. */
function upsample(coarse: Float32Array, k: number, [height, width]: readonly [number, number]): Float64Array {
  const [rows, columns] = [taps(k, height), taps(k, width)];
  return Float64Array.from({ length: height * width }, (_, i) => {
    const row = rows[Math.floor(i / width)] ?? [];
    const column = columns[i % width] ?? [];
    return row.reduce(
      (sum, a) => sum + a.weight * column.reduce((inner, b) => inner + b.weight * (coarse[a.at * k + b.at] ?? 0), 0),
      0,
    );
  });
}

/** For each of `size` positions, the four coarse cells around it with their weights. */
function taps(k: number, size: number): { at: number; weight: number }[][] {
  const kernel = cubic(-0.75);
  return Array.from({ length: size }, (_, i) => {
    const centre = size > 1 ? (i * (k - 1)) / (size - 1) : 0;
    const first = Math.floor(centre) - 1;
    return [0, 1, 2, 3].map((tap) => ({
      at: Math.min(Math.max(first + tap, 0), k - 1),
      weight: kernel(first + tap - centre),
    }));
  });
}
