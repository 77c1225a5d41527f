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

/**
 * Masks of `cells` x `cells` cells, enlarged along `down` and `across` and cut out at their offsets.
 * @param out planes of `height` x `width`. @param grids one grid a mask. @param offsets first row and column of each cut.
 */
export function enlargedMasksInto(
  out: Float32Array,
  grids: ArrayLike<number>,
  {
    offsets,
    cells,
    height,
    width,
    down,
    across,
  }: {
    offsets: ArrayLike<number>;
    cells: number;
    height: number;
    width: number;
    down: AxisWeights;
    across: AxisWeights;
  },
): void {
  const rows = new Float64Array(cells * width);
  const masks = out.length / (height * width);
  for (let mask = 0; mask < masks; mask++) {
    const [top, left] = [offsets[2 * mask]!, offsets[2 * mask + 1]!];
    for (let g = 0; g < cells; g++) {
      const from = (mask * cells + g) * cells;
      for (let x = 0; x < width; x++) {
        const k = 2 * (left + x);
        rows[g * width + x] =
          across.weights[k]! * grids[from + across.indices[k]!]! +
          across.weights[k + 1]! * grids[from + across.indices[k + 1]!]!;
      }
    }
    for (let y = 0; y < height; y++) {
      const k = 2 * (top + y);
      const [first, second] = [down.indices[k]! * width, down.indices[k + 1]! * width];
      const [weight, other] = [down.weights[k]!, down.weights[k + 1]!];
      const to = (mask * height + y) * width;
      for (let x = 0; x < width; x++) out[to + x] = weight * rows[first + x]! + other * rows[second + x]!;
    }
  }
}

/** One image [C, H, W] under every mask: `x m + fill (1 - m)`, the fill a colour of C values. */
export function maskedInto(
  out: Float32Array,
  image: ArrayLike<number>,
  masks: Float32Array,
  fill: ArrayLike<number>,
  plane: number,
): void {
  const channels = fill.length;
  const count = masks.length / plane;
  let i = 0;
  for (let mask = 0; mask < count; mask++) {
    for (let c = 0; c < channels; c++) {
      const colour = fill[c]!;
      for (let p = 0; p < plane; p++, i++) {
        out[i] = colour + masks[mask * plane + p]! * (image[c * plane + p]! - colour);
      }
    }
  }
}

/** Adds `weights[mask] * masks[mask]`, summed over the masks, to one map. */
export function addWeightedMasksInto(map: Float64Array, masks: Float32Array, weights: ArrayLike<number>): void {
  const plane = map.length;
  const count = masks.length / plane;
  for (let mask = 0; mask < count; mask++) {
    const weight = weights[mask]!;
    if (weight === 0) continue;
    for (let p = 0; p < plane; p++) map[p]! += weight * masks[mask * plane + p]!;
  }
}

/** The same map in every channel. */
export function copyToChannelsInto(out: Reals, map: Reals, channels: number, plane: number): void {
  for (let i = 0; i < out.length; i++) out[i] = map[Math.floor(i / (channels * plane)) * plane + (i % plane)]!;
}
