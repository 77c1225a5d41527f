/**
 * @file What images may go through without being about any class: noise, few levels, blur. A model that sends what is left
 * of them to one class says something about itself, whatever its trigger looks like.
 */

import type { NoiseSource } from "../../core/run-context.ts";
import { clamp } from "../../tensor/arithmetic.ts";
import { elementCount } from "../../tensor/shape.ts";
import { type Float32Tensor, float32 } from "../../tensor/tensor.ts";

/** A way to disturb images. */
export interface Disturbance {
  readonly name: string;
  /** @param images float32 [N, C, H, W] in [0, 1]; not modified. @returns new images in [0, 1]. */
  apply(images: Float32Tensor, noise: NoiseSource): Float32Tensor;
}

/** The disturbances, by how much is left of an image. */
export const disturbances: readonly Disturbance[] = [
  noisy(0.06),
  noisy(0.12),
  noisy(0.25),
  levels(2),
  levels(4),
  { name: "mean of 3x3 pixels", apply: (images) => meanOfNeighbours(images) },
];

function noisy(sigma: number): Disturbance {
  return {
    name: `noise of deviation ${sigma}`,
    apply(images, noise) {
      const [n = 0, ...dims] = images.dims;
      const size = elementCount(dims);
      const out = float32(images.dims);
      for (let row = 0; row < n; row++) {
        const values = noise(row, `scan/noise${sigma}`, 0, size);
        const pixels = images.data.subarray(row * size, (row + 1) * size);
        out.data.set(
          pixels.map((pixel, i) => pixel + sigma * (values[i] ?? 0)),
          row * size,
        );
      }
      return clamp(out, 0, 1);
    },
  };
}

function levels(count: number): Disturbance {
  return {
    name: `${count} levels`,
    apply: ({ dims, data }) =>
      float32(
        dims,
        data.map((pixel) => Math.round(pixel * (count - 1)) / (count - 1)),
      ),
  };
}

/** Each pixel as the mean of those within one step of it, as many as there are. */
function meanOfNeighbours({ dims, data }: Float32Tensor): Float32Tensor {
  const [, , height = 1, width = 1] = dims;
  const out = float32(dims);
  const plane = height * width;
  for (let i = 0; i < data.length; i++) {
    const start = i - (i % plane);
    const [y, x] = [Math.floor((i % plane) / width), i % width];
    let [sum, count] = [0, 0];
    for (let v = Math.max(y - 1, 0); v <= Math.min(y + 1, height - 1); v++) {
      for (let u = Math.max(x - 1, 0); u <= Math.min(x + 1, width - 1); u++) {
        sum += data[start + v * width + u] ?? 0;
        count += 1;
      }
    }
    out.data[i] = sum / count;
  }
  return out;
}
