/**
 * @file Shape algebra. The letters mean the same everywhere: N images of a batch, C channels, H rows, W columns,
 * K classes, T steps of a noise schedule. Images are float32 [N, C, H, W] in [0, 1] outside `diffusion/`.
 */
import { ShapeError } from "../core/errors.ts";

/** Product of the dims; 1 for a scalar. */
export function elementCount(dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, 1);
}

/** Same rank and same dims. */
export function sameDims(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((dim, i) => dim === b[i]);
}

/** `[2, 3, 28, 28]`, for messages; `?` is an axis of which not even a name is known. */
export function formatDims(dims: readonly (number | string)[]): string {
  return `[${dims.map((dim) => (dim === "" ? "?" : dim)).join(", ")}]`;
}

/** The four dims of an image batch. */
export interface ImageDims {
  readonly n: number;
  readonly c: number;
  readonly h: number;
  readonly w: number;
}

/**
 * The dims of an image batch, checked.
 * @param what who asks, for the message. @throws ShapeError when the rank is not 4.
 */
export function imageDims(what: string, dims: readonly number[]): ImageDims {
  const [n, c, h, w] = dims;
  if (dims.length !== 4 || n === undefined || c === undefined || h === undefined || w === undefined) {
    throw new ShapeError(`${what}: expected images [N, C, H, W], got ${formatDims(dims)}.`);
  }
  return { n, c, h, w };
}
