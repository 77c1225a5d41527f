/** @file Inner loops of the purifiers. Planes are H x W pixels; maps are one plane an image, images are C planes. */
import type { AxisWeights } from "../tensor/kernels.ts";

type Reals = Float32Array | Float64Array;

/** Mean over channels of |a - b|, one map an image. */
export function channelDifferenceInto(out: Reals, a: Reals, b: Reals, channels: number, plane: number): void {
  for (let i = 0; i < out.length; i++) {
    const start = Math.floor(i / plane) * channels * plane + (i % plane);
    let sum = 0;
    for (let c = 0; c < channels; c++) sum += Math.abs(a[start + c * plane]! - b[start + c * plane]!);
    out[i] = sum / channels;
  }
}

/** Weighted sum of the channels, one map an image. */
export function channelSumInto(out: Reals, x: Reals, weights: readonly number[], plane: number): void {
  const channels = weights.length;
  for (let i = 0; i < out.length; i++) {
    const start = Math.floor(i / plane) * channels * plane + (i % plane);
    let sum = 0;
    for (let c = 0; c < channels; c++) sum += weights[c]! * x[start + c * plane]!;
    out[i] = sum;
  }
}

/** Every map moved and scaled to [0, 1]; `flat` where all its values are equal. */
export function stretchInto(out: Reals, maps: Reals, plane: number, flat: number): void {
  for (let start = 0; start < maps.length; start += plane) {
    let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (let i = start; i < start + plane; i++) {
      low = Math.min(low, maps[i]!);
      high = Math.max(high, maps[i]!);
    }
    for (let i = start; i < start + plane; i++) out[i] = high > low ? (maps[i]! - low) / (high - low) : flat;
  }
}

/** `map > threshold ? a : b` for every pixel, the same in all channels. `out` may be `a` or `b`. */
export function selectInto(
  out: Reals,
  a: Reals,
  b: Reals,
  { map, threshold, channels, plane }: { map: ArrayLike<number>; threshold: number; channels: number; plane: number },
): void {
  let i = 0;
  for (let start = 0; i < out.length; start += plane) {
    for (let c = 0; c < channels; c++) {
      for (let p = 0; p < plane; p++, i++) out[i] = map[start + p]! > threshold ? a[i]! : b[i]!;
    }
  }
}

/** `scale[level] * x + noiseScale[level] * noise`, the level of each pixel from a map of integers. */
export function noisedByLevelInto(
  out: Reals,
  x: Reals,
  noise: Reals,
  {
    levels,
    scale,
    noiseScale,
    channels,
    plane,
  }: { levels: ArrayLike<number>; scale: Float64Array; noiseScale: Float64Array; channels: number; plane: number },
): void {
  let i = 0;
  for (let start = 0; i < out.length; start += plane) {
    for (let c = 0; c < channels; c++) {
      for (let p = 0; p < plane; p++, i++) {
        const level = levels[start + p]!;
        out[i] = scale[level]! * x[i]! + noiseScale[level]! * noise[i]!;
      }
    }
  }
}

/** Copies planes of `height` x `width` onto planes of `canvasHeight` x `canvasWidth`, each image at its own offset. */
export function pasteInto(
  out: Reals,
  x: Reals,
  {
    tops,
    lefts,
    channels,
    height,
    width,
    canvasHeight,
    canvasWidth,
  }: {
    tops: ArrayLike<number>;
    lefts: ArrayLike<number>;
    channels: number;
    height: number;
    width: number;
    canvasHeight: number;
    canvasWidth: number;
  },
): void {
  const planes = x.length / (height * width);
  for (let plane = 0; plane < planes; plane++) {
    const image = Math.floor(plane / channels);
    for (let row = 0; row < height; row++) {
      const to = (plane * canvasHeight + tops[image]! + row) * canvasWidth + lefts[image]!;
      const from = (plane * height + row) * width;
      for (let column = 0; column < width; column++) out[to + column] = x[from + column]!;
    }
  }
}

/** How a small map becomes one of `height` x `width` pixels: the weights along both axes, two taps a position. */
export interface Enlargement {
  readonly cells: number;
  readonly height: number;
  readonly width: number;
  readonly down: AxisWeights;
  readonly across: AxisWeights;
}

/**
 * One small map of `cells` x `cells` values, enlarged and cut out from row `top` and column `left` on.
 * @param from where the map begins in `maps`. @param rows memory for `cells` x `width` values.
 */
export function enlargeInto(
  out: Float64Array,
  maps: Uint8Array | Float64Array,
  { cells, height, width, down, across }: Enlargement,
  { from, top, left, rows }: { from: number; top: number; left: number; rows: Float64Array },
): void {
  const { indices, weights } = across;
  for (let x = 0; x < width; x++) {
    const k = 2 * (left + x);
    const [first, second] = [from + indices[k]!, from + indices[k + 1]!];
    const [weight, other] = [weights[k]!, weights[k + 1]!];
    for (let g = 0; g < cells; g++) {
      rows[g * width + x] = weight * maps[first + g * cells]! + other * maps[second + g * cells]!;
    }
  }
  for (let y = 0; y < height; y++) {
    const k = 2 * (top + y);
    const [first, second] = [down.indices[k]! * width, down.indices[k + 1]! * width];
    const [weight, other] = [down.weights[k]!, down.weights[k + 1]!];
    for (let x = 0; x < width; x++) out[y * width + x] = weight * rows[first + x]! + other * rows[second + x]!;
  }
}

/** One image [C, H, W] under one mask: `x m + fill (1 - m)`, the fill a colour of C values; written from `to` on. */
export function maskedInto(
  out: Float32Array,
  image: Float32Array,
  mask: Float64Array,
  { fill, to }: { fill: Float64Array; to: number },
): void {
  const plane = mask.length;
  for (let c = 0; c < fill.length; c++) {
    const colour = fill[c]!;
    const from = c * plane;
    for (let p = 0; p < plane; p++) out[to + from + p] = colour + mask[p]! * (image[from + p]! - colour);
  }
}

/** `sums[i] += weights[i] * mask` for every i, the mask one of 0 and 1 that begins at `from` in `masks`. */
export function addWeightedInto(sums: Float64Array, masks: Uint8Array, weights: Float64Array, from: number): void {
  const size = sums.length / weights.length;
  for (let i = 0; i < weights.length; i++) {
    const weight = weights[i]!;
    for (let k = 0; k < size; k++) {
      if (masks[from + k] === 1) sums[i * size + k] = sums[i * size + k]! + weight;
    }
  }
}

/** `out[to + i] += x[i]` for every i of x. */
export function addInto(out: Float64Array, x: Float64Array, to: number): void {
  for (let i = 0; i < x.length; i++) out[to + i] = out[to + i]! + x[i]!;
}

/** The same map in every channel. */
export function copyToChannelsInto(out: Reals, map: Reals, channels: number, plane: number): void {
  for (let i = 0; i < out.length; i++) out[i] = map[Math.floor(i / (channels * plane)) * plane + (i % plane)]!;
}
