/**
 * @file Reading images at any positions. A grid holds a column and a row for each point, both from -1 to 1 across the
 * image; it becomes a plan (which pixels, with which weights) once, and the plan reads as many planes as one likes.
 */
import { ShapeError } from "../../core/errors.ts";
import { cubic } from "../interpolation.ts";
import { formatDims, imageDims } from "../shape.ts";
import type { Float32Tensor, RealTensor } from "../tensor.ts";
import { readAlongInto, type SamplingPlan } from "./kernels.ts";
import { coordinateOf, type Outside, padded } from "./positions.ts";

/** How points between pixels and outside the image are read. */
export interface SamplingOptions {
  /** `bilinear` when left out. */
  readonly method?: "nearest" | "bilinear" | "bicubic" | undefined;
  /** `zeros` when left out. */
  readonly outside?: Outside | undefined;
  /** Whether -1 and 1 are the centres of the edge pixels, or the edges of the image (the default). */
  readonly alignCorners?: boolean | undefined;
}

const weigh = cubic(-0.75);

/**
 * Makes a grid of points into a plan for images of `height` x `width` pixels.
 * @param grid 2 P numbers: column and row of each point.
 */
export function samplingPlan(
  grid: ArrayLike<number>,
  [height, width]: readonly [height: number, width: number],
  { method = "bilinear", outside = "zeros", alignCorners = false }: SamplingOptions = {},
): SamplingPlan {
  const points = grid.length / 2;
  const side = { nearest: 1, bilinear: 2, bicubic: 4 }[method];
  const count = side * side;
  const indices = new Int32Array(points * count);
  const weights = new Float64Array(points * count);
  const axes = { method, outside, alignCorners };
  for (let point = 0; point < points; point++) {
    const across = tapsAt(grid[2 * point] ?? Number.NaN, width, axes);
    const down = tapsAt(grid[2 * point + 1] ?? Number.NaN, height, axes);
    down.forEach((row, i) => {
      across.forEach((column, j) => {
        const at = point * count + i * side + j;
        indices[at] = row.at * width + column.at;
        weights[at] = row.weight * column.weight;
      });
    });
  }
  return { points, count, indices, weights };
}

/** A pixel of an axis with its weight; weight 0 where it lies outside. */
interface Tap {
  readonly at: number;
  readonly weight: number;
}

function tapsAt(
  unit: number,
  size: number,
  { method, outside, alignCorners }: Required<{ [K in keyof SamplingOptions]: NonNullable<SamplingOptions[K]> }>,
): Tap[] {
  const raw = coordinateOf(unit, size, alignCorners);
  const tap = (position: number, weight: number): Tap =>
    position >= 0 && position < size ? { at: position, weight } : { at: 0, weight: 0 };
  if (method === "bicubic") {
    const first = Math.floor(raw) - 1;
    return [0, 1, 2, 3].map((k) => tap(padded(first + k, size, { outside, alignCorners }), weigh(first + k - raw)));
  }
  const position = padded(raw, size, { outside, alignCorners });
  if (method === "nearest") return [tap(roundHalfEven(position), 1)];
  const first = Math.floor(position);
  return [tap(first, first + 1 - position), tap(first + 1, position - first)];
}

function roundHalfEven(value: number): number {
  const rounded = Math.round(value);
  return rounded - value === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

/**
 * Reads every plane of images along a plan.
 * @param images float32 [N, C, H, W] of the plan's size. @param planOf the plan of each row, all with `height` x `width`
 * points. @returns [N, C, height, width], new memory. @throws ShapeError when a plan has other points.
 */
export function sampleAlong(
  images: Float32Tensor,
  planOf: (row: number) => SamplingPlan,
  [height, width]: readonly [height: number, width: number],
): Float32Tensor {
  const { n, c, h, w } = imageDims("grid sample", images.dims);
  const data = new Float32Array(n * c * height * width);
  for (let row = 0; row < n; row++) {
    const plan = planOf(row);
    if (plan.points !== height * width) {
      throw new ShapeError(`grid sample: expected ${height * width} points, got ${plan.points}.`);
    }
    const at = { planes: c, pixels: h * w, from: row * c * h * w, to: row * c * height * width };
    readAlongInto(data, images.data, plan, at);
  }
  return { dtype: "float32", dims: [n, c, height, width], data };
}

/**
 * Reads every image along its own grid.
 * @param images [N, C, H, W]. @param grid [N, height, width, 2], columns before rows.
 * @returns [N, C, height, width]. @throws ShapeError when the grid is none, or not for so many images.
 * @source Jaderberg et al. 2015, "Spatial Transformer Networks", section 3.3; conventions of PyTorch's `grid_sample`.
 */
export function gridSample(images: Float32Tensor, grid: RealTensor, options: SamplingOptions = {}): Float32Tensor {
  const { n, h, w } = imageDims("grid sample", images.dims);
  const [rows, height = 0, width = 0, two] = grid.dims;
  if (grid.dims.length !== 4 || rows !== n || two !== 2) {
    throw new ShapeError(`grid sample: expected a grid [${n}, H, W, 2], got ${formatDims(grid.dims)}.`);
  }
  const size = 2 * height * width;
  const planOf = (row: number): SamplingPlan =>
    samplingPlan(grid.data.subarray(row * size, (row + 1) * size), [h, w], options);
  return sampleAlong(images, planOf, [height, width]);
}
