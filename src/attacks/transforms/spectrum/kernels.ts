/** @file Inner loops of shifted spectra. Values are in 8-bit units, and may leave 0..255 where that is said. */

/** A linear map of three channels, row by row. */
export type ColourMatrix = readonly [number, number, number, number, number, number, number, number, number];

/** How one image is shifted. */
export interface ColourShift {
  /** H W numbers, added to the shifted channels. */
  readonly pattern: Float64Array;
  /** Which channels of the colour space. */
  readonly shifted: readonly boolean[];
}

/** `out = x + pattern` on the shifted channels of one image of unit values; `out` in 8-bit units. */
export function shiftChannelsInto(out: Float32Array, x: Float32Array, { pattern, shifted }: ColourShift): void {
  const pixels = pattern.length;
  for (let i = 0; i < out.length; i++) {
    out[i] = 255 * x[i]! + (shifted[Math.floor(i / pixels)]! ? pattern[i % pixels]! : 0);
  }
}

/** The same in another colour space: `to` leads there and `back` from there. */
export function shiftColoursInto(
  out: Float32Array,
  x: Float32Array,
  { pattern, shifted, to, back }: ColourShift & { readonly to: ColourMatrix; readonly back: ColourMatrix },
): void {
  const pixels = pattern.length;
  const shift = shifted.map(Number);
  for (let i = 0; i < pixels; i++) {
    const [r, g, b] = [255 * x[i]!, 255 * x[i + pixels]!, 255 * x[i + 2 * pixels]!];
    const first = to[0] * r + to[1] * g + to[2] * b + shift[0]! * pattern[i]!;
    const second = to[3] * r + to[4] * g + to[5] * b + shift[1]! * pattern[i]!;
    const third = to[6] * r + to[7] * g + to[8] * b + shift[2]! * pattern[i]!;
    out[i] = back[0] * first + back[1] * second + back[2] * third;
    out[i + pixels] = back[3] * first + back[4] * second + back[5] * third;
    out[i + 2 * pixels] = back[6] * first + back[7] * second + back[8] * third;
  }
}

/** An integer cut to 0..255. */
function saturate(value: number): number {
  return Math.min(Math.max(value, 0), 255);
}

/** Fixed-point products end here: 14 bits after the point, rounded. */
function descale(value: number): number {
  return (value + 8192) >> 14;
}

/** RGB to YCrCb of one image, both 8-bit, in whole numbers. */
export function toYcrcbInto(out: Uint8Array, rgb: Uint8Array): void {
  const pixels = rgb.length / 3;
  for (let i = 0; i < pixels; i++) {
    const [r, g, b] = [rgb[i]!, rgb[i + pixels]!, rgb[i + 2 * pixels]!];
    const y = descale(4899 * r + 9617 * g + 1868 * b);
    out[i] = saturate(y);
    out[i + pixels] = saturate(descale((r - y) * 11682 + (128 << 14)));
    out[i + 2 * pixels] = saturate(descale((b - y) * 9241 + (128 << 14)));
  }
}

/** YCrCb to RGB of one image, both 8-bit, in whole numbers. */
export function fromYcrcbInto(out: Uint8Array, ycrcb: Uint8Array): void {
  const pixels = ycrcb.length / 3;
  for (let i = 0; i < pixels; i++) {
    const [y, cr, cb] = [ycrcb[i]!, ycrcb[i + pixels]! - 128, ycrcb[i + 2 * pixels]! - 128];
    out[i] = saturate(y + descale(cr * 22987));
    out[i + pixels] = saturate(y + descale(cb * -5636 + cr * -11698));
    out[i + 2 * pixels] = saturate(y + descale(cb * 29049));
  }
}

/** 8-bit values of floats in 8-bit units: cut off after the point, then modulo 256 or clipped. */
export function truncateInto(out: Uint8Array, values: ArrayLike<number>, overflow: "wrap" | "clip"): void {
  for (let i = 0; i < out.length; i++) {
    const whole = Math.trunc(values[i]!);
    // An array of bytes keeps the lowest eight bits by itself.
    out[i] = overflow === "wrap" ? whole : saturate(whole);
  }
}
