/** @file Inner loops over masks: one byte a pixel, 0 or 1. */

/** A mask of `height` x `width` pixels. */
export interface MaskSize {
  readonly height: number;
  readonly width: number;
}

/** A pixel's neighbours as row and column offsets, itself included. */
export type Neighbourhood = readonly (readonly [down: number, right: number])[];

/** 1 where every neighbour is 1; `outside` stands for neighbours beyond the edges. */
export function erodeInto(
  out: Uint8Array,
  mask: ArrayLike<number>,
  { height, width, around, outside }: MaskSize & { readonly around: Neighbourhood; readonly outside: boolean },
): void {
  for (let i = 0; i < out.length; i++) {
    const [row, column] = [Math.floor(i / width), i % width];
    let all = 1;
    for (const [down, right] of around) {
      const [y, x] = [row + down, column + right];
      const isInside = y >= 0 && y < height && x >= 0 && x < width;
      if (isInside ? mask[y * width + x]! === 0 : !outside) all = 0;
    }
    out[i] = all;
  }
}

/**
 * Numbers the connected regions of ones from 1 on, in the order of their first pixels; 0 elsewhere.
 * @returns how many there are.
 */
export function labelInto(
  out: Int32Array,
  mask: ArrayLike<number>,
  { height, width, around }: MaskSize & { readonly around: Neighbourhood },
): number {
  out.fill(0);
  const waiting: number[] = [];
  let regions = 0;
  for (let start = 0; start < out.length; start++) {
    if (mask[start]! === 0 || out[start]! !== 0) continue;
    out[start] = ++regions;
    waiting.push(start);
    for (let i = waiting.pop(); i !== undefined; i = waiting.pop()) {
      for (const [down, right] of around) {
        const [y, x] = [Math.floor(i / width) + down, (i % width) + right];
        if (y < 0 || y >= height || x < 0 || x >= width) continue;
        const next = y * width + x;
        if (mask[next]! === 0 || out[next]! !== 0) continue;
        out[next] = regions;
        waiting.push(next);
      }
    }
  }
  return regions;
}

/**
 * Smallest of `(i - j)^2 + values[j]` over j for every i of a line, `step` apart, in place: a lower envelope of parabolas.
 * @source Felzenszwalb and Huttenlocher 2012, "Distance Transforms of Sampled Functions", Theory of Computing 8.
 */
export function lowerEnvelopeInPlace(
  values: Float64Array,
  { start, step, length }: { readonly start: number; readonly step: number; readonly length: number },
): void {
  const height = Float64Array.from({ length }, (_, i) => values[start + i * step]!);
  const centres = new Int32Array(length);
  const from = new Float64Array(length + 1);
  let last = -1;
  for (let i = 0; i < length; i++) {
    if (height[i] === Number.POSITIVE_INFINITY) continue;
    let meet = Number.NEGATIVE_INFINITY;
    for (; last >= 0; last--) {
      const j = centres[last]!;
      meet = (height[i]! + i * i - height[j]! - j * j) / (2 * (i - j));
      if (meet > from[last]!) break;
      meet = Number.NEGATIVE_INFINITY;
    }
    centres[++last] = i;
    from[last] = meet;
  }
  if (last < 0) return;
  from[last + 1] = Number.POSITIVE_INFINITY;
  for (let i = 0, k = 0; i < length; i++) {
    while (from[k + 1]! < i) k++;
    const j = centres[k]!;
    values[start + i * step] = (i - j) ** 2 + height[j]!;
  }
}
