/** @file Pictures made from a seed, for attacks that blend or reflect photographs where none are at hand. */
import { uniforms } from "../core/noise.ts";
import { resize } from "../tensor/resize.ts";
import { elementCount } from "../tensor/shape.ts";
import { type Float32Tensor, float32 } from "../tensor/tensor.ts";
import type { ImageShape } from "./trigger.ts";

/** Side of the coarsest grid of random values. */
const COARSEST = 2;

/**
 * Textures with the spectrum of natural pictures: random grids of 2, 4, 8… cells a side, each drawn smooth and half as
 * strong as the one before, stretched to [0, 1].
 * @param count how many. @returns float32 [count, C, H, W].
 */
export function textures(seed: number, count: number, [channels, height, width]: ImageShape): Float32Tensor {
  const size = elementCount([channels, height, width]);
  const out = float32([count, channels, height, width]);
  let weight = 1;
  for (let side = COARSEST; side <= Math.max(height, width); side *= 2) {
    const cells = uniforms(seed, "texture", side, count * channels * side * side);
    const grid = float32([count, channels, side, side], Float32Array.from(cells));
    const layer = resize(grid, height, width, { method: "bicubic" }).data;
    for (const [i, value] of layer.entries()) out.data[i] = (out.data[i] ?? 0) + weight * value;
    weight /= 2;
  }
  for (let row = 0; row < count; row++) stretch(out.data.subarray(row * size, (row + 1) * size));
  return out;
}

function stretch(values: Float32Array): void {
  const [low, high] = values.reduce(
    ([least, most], value) => [Math.min(least, value), Math.max(most, value)],
    [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  );
  for (const [i, value] of values.entries()) values[i] = high > low ? (value - low) / (high - low) : 0;
}
