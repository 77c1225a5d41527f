/** @file Inner loops of inversion: images and gradients of many rows against one variable. Unchecked reads live here. */
import type { SamplingPlan } from "../tensor/filters/kernels.ts";

/** `out[n] = images[n] + change` for every row n. */
export function addToRowsInto(out: Float32Array, images: Float32Array, change: Float32Array): void {
  const size = change.length;
  for (let from = 0; from < out.length; from += size) {
    for (let i = 0; i < size; i++) out[from + i] = images[from + i]! + change[i]!;
  }
}

/** `out[n] = base + scale * noise[n]` for every row n of noise. */
export function addNoiseInto(out: Float32Array, base: Float32Array, noise: Float32Array, scale: number): void {
  const size = base.length;
  for (let from = 0; from < out.length; from += size) {
    for (let i = 0; i < size; i++) out[from + i] = base[i]! + scale * noise[from + i]!;
  }
}

/** `out[n] = (1 - mask) images[n] + mask pattern`: the mask has one plane for all channels. */
export function blendRowsInto(
  out: Float32Array,
  images: Float32Array,
  mask: Float32Array,
  pattern: Float32Array,
): void {
  const [size, plane] = [pattern.length, mask.length];
  for (let from = 0; from < out.length; from += size) {
    for (let channel = 0; channel < size; channel += plane) {
      for (let pixel = 0; pixel < plane; pixel++) {
        const m = mask[pixel]!;
        const i = channel + pixel;
        out[from + i] = (1 - m) * images[from + i]! + m * pattern[i]!;
      }
    }
  }
}

/** Adds to `mask` and `pattern` what the gradient by blended rows is by them. */
export function blendGradientInto(
  into: { readonly mask: Float64Array; readonly pattern: Float64Array },
  gradient: Float32Array,
  images: Float32Array,
  at: { readonly mask: Float32Array; readonly pattern: Float32Array },
): void {
  const [size, plane] = [at.pattern.length, at.mask.length];
  for (let from = 0; from < gradient.length; from += size) {
    for (let channel = 0; channel < size; channel += plane) {
      for (let pixel = 0; pixel < plane; pixel++) {
        const i = channel + pixel;
        const g = gradient[from + i]!;
        into.mask[pixel] = into.mask[pixel]! + g * (at.pattern[i]! - images[from + i]!);
        into.pattern[i] = into.pattern[i]! + g * at.mask[pixel]!;
      }
    }
  }
}

/** `sum += weights[n] * rows[n]` over the rows n. */
export function addWeightedRowsInto(sum: Float32Array, rows: Float32Array, weights: ArrayLike<number>): void {
  const size = sum.length;
  for (let n = 0; n < weights.length; n++) {
    const weight = weights[n]!;
    for (let i = 0; i < size; i++) sum[i] = sum[i]! + weight * rows[n * size + i]!;
  }
}

/** Sets to zero where clamping to [0, 1] has moved the value: nothing passes there. */
export function stopAtEdgesInto(gradient: Float32Array, unclamped: Float32Array): void {
  for (let i = 0; i < gradient.length; i++) {
    if (unclamped[i]! < 0 || unclamped[i]! > 1) gradient[i] = 0;
  }
}

/** `change = clamp(image + change) - image`: the changed image stays in [0, 1]. */
export function keepInRangeInto(change: Float32Array, image: Float32Array): void {
  for (let i = 0; i < change.length; i++) {
    const x = image[i]!;
    change[i] = Math.min(Math.max(x + change[i]!, 0), 1) - x;
  }
}

/**
 * A smooth count of pixels: the sum over the planes of `max over channels of (tanh(v / 10) / 2 + 1/2)`, for two variables
 * of C channels, one after the other. Adds `weight` times its derivative to `gradient`.
 */
export function addPixelCountInto(
  gradient: Float32Array,
  variables: Float32Array,
  { plane, weight }: { readonly plane: number; readonly weight: number },
): number {
  const size = variables.length / 2;
  let sum = 0;
  for (let from = 0; from < variables.length; from += size) {
    for (let pixel = from; pixel < from + plane; pixel++) {
      let most = pixel;
      for (let i = pixel + plane; i < from + size; i += plane) if (variables[i]! > variables[most]!) most = i;
      const height = Math.tanh(variables[most]! / 10);
      sum += height / 2 + 0.5;
      gradient[most] = gradient[most]! + (weight * (1 - height * height)) / 20;
    }
  }
  return sum;
}

/** Adds what reading planes along a plan hands back: the adjoint of `readAlongInto`. */
export function spreadAlongInto(out: Float64Array, gradient: Float32Array | Float64Array, plan: SamplingPlan): void {
  const { points, count, indices, weights } = plan;
  const planes = gradient.length / points;
  const pixels = out.length / planes;
  for (let plane = 0; plane < planes; plane++) {
    for (let k = 0; k < points * count; k++) {
      const weight = weights[k]!;
      if (weight === 0) continue;
      const pixel = plane * pixels + indices[k]!;
      out[pixel] = out[pixel]! + weight * gradient[plane * points + Math.floor(k / count)]!;
    }
  }
}

/**
 * Adds to `out` [2, H, W] what the gradient by images that are read along a field, bilinear, is by the field: at a pixel
 * the slopes of the image where it is read, times the gradient, over all planes of all images.
 */
export function slopesInto(
  out: Float32Array,
  { images, field, gradient }: Readonly<Record<"images" | "field" | "gradient", Float32Array>>,
  [height, width]: readonly [number, number],
): void {
  const plane = height * width;
  for (let i = 0; i < plane; i++) {
    const x = (i % width) + field[i]!;
    const y = Math.floor(i / width) + field[plane + i]!;
    const [left, top] = [Math.floor(x), Math.floor(y)];
    const [a, b] = [x - left, y - top];
    const [first, last] = [clampTo(left, width), clampTo(left + 1, width)];
    const [upper, lower] = [clampTo(top, height) * width, clampTo(top + 1, height) * width];
    let [across, down] = [0, 0];
    for (let from = 0; from < images.length; from += plane) {
      const g = gradient[from + i]!;
      const [nw, ne] = [images[from + upper + first]!, images[from + upper + last]!];
      const [sw, se] = [images[from + lower + first]!, images[from + lower + last]!];
      across += g * ((1 - b) * (ne - nw) + b * (se - sw));
      down += g * ((1 - a) * (sw - nw) + a * (se - ne));
    }
    out[i] = out[i]! + across;
    out[plane + i] = out[plane + i]! + down;
  }
}

function clampTo(position: number, size: number): number {
  return Math.min(Math.max(position, 0), size - 1);
}
