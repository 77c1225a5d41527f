/** @file Resizing images, one axis after the other. Pixels are squares: the centre of pixel i lies at i + 1/2. */
import { ShapeError } from "../core/errors.ts";
import { cubic, tent } from "./interpolation.ts";
import { type AxisWeights, resampleColumnsInto, resampleRowsInto } from "./kernels.ts";
import { imageDims } from "./shape.ts";
import type { Float32Tensor } from "./tensor.ts";

/** How pixels between pixels are made. */
export interface ResizeOptions {
  /**
   * `nearest` takes the pixel that covers the centre; `bilinear` (the default) and `bicubic` interpolate; `area` takes
   * the mean of all pixels touched.
   */
  readonly method?: "nearest" | "bilinear" | "bicubic" | "area" | undefined;
  /** Widens the interpolation filter when shrinking, so that no pixel is skipped; false when left out. */
  readonly antialias?: boolean | undefined;
}

/**
 * Resizes a batch. Beyond the border the edge continues. Bicubic results may leave the range of the input.
 * @param images [N, C, H, W]. @returns [N, C, height, width], new memory.
 * @throws ShapeError when a size is not a positive integer.
 * @source the conventions of PyTorch's `interpolate` with `align_corners=False`; cubic a = -0.75, antialiased -0.5.
 */
export function resize(
  images: Float32Tensor,
  height: number,
  width: number,
  { method = "bilinear", antialias = false }: ResizeOptions = {},
): Float32Tensor {
  const { n, c, h, w } = imageDims("resize", images.dims);
  for (const size of [height, width, h, w]) {
    if (!Number.isInteger(size) || size < 1) throw new ShapeError(`resize: expected sizes of at least 1, got ${size}.`);
  }
  const rows = axisWeights(h, height, method, antialias);
  const columns = axisWeights(w, width, method, antialias);
  const between = new Float64Array(n * c * h * width);
  resampleColumnsInto(between, images.data, w, columns);
  const data = new Float32Array(n * c * height * width);
  resampleRowsInto(data, between, h, width, rows);
  return { dtype: "float32", dims: [n, c, height, width], data };
}

/**
 * For each of `size` output positions of an axis, which of `from` input positions to sum with which weight.
 * @param method and antialias as in {@link ResizeOptions}.
 */
export function axisWeights(
  from: number,
  size: number,
  method: NonNullable<ResizeOptions["method"]>,
  antialias: boolean,
): AxisWeights {
  const taps = Array.from({ length: size }, (_, i) => tapsAt(i, from, size, method, antialias));
  const count = Math.max(...taps.map(({ weights }) => weights.length));
  const indices = new Int32Array(size * count);
  const weights = new Float64Array(size * count);
  taps.forEach((tap, i) => {
    tap.weights.forEach((weight, k) => {
      indices[i * count + k] = Math.min(Math.max(tap.start + k, 0), from - 1);
      weights[i * count + k] = weight;
    });
  });
  return { size, count, indices, weights };
}

/** Weights of the input positions from `start` on; positions outside the axis stand for its ends. */
function tapsAt(
  i: number,
  from: number,
  size: number,
  method: NonNullable<ResizeOptions["method"]>,
  antialias: boolean,
): { start: number; weights: number[] } {
  const scale = from / size;
  const centre = (i + 0.5) * scale;
  if (method === "nearest") return { start: Math.floor(centre), weights: [1] };
  if (method === "area") {
    const start = Math.floor((i * from) / size);
    const count = Math.ceil(((i + 1) * from) / size) - start;
    return { start, weights: new Array<number>(count).fill(1 / count) };
  }
  const kernel = method === "bilinear" ? tent : cubic(antialias ? -0.5 : -0.75);
  const reach = method === "bilinear" ? 1 : 2;
  if (!antialias) {
    const start = Math.floor(centre - 0.5) - reach + 1;
    return { start, weights: Array.from({ length: 2 * reach }, (_, k) => kernel(start + k + 0.5 - centre)) };
  }
  const stretch = Math.max(scale, 1);
  const start = Math.max(Math.floor(centre - reach * stretch + 0.5), 0);
  const end = Math.min(Math.floor(centre + reach * stretch + 0.5), from);
  const raw = Array.from({ length: end - start }, (_, k) => kernel((start + k + 0.5 - centre) / stretch));
  const sum = raw.reduce((total, weight) => total + weight, 0);
  return { start, weights: raw.map((weight) => weight / sum) };
}
