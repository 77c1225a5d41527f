/** @file Inner loops of shifted spectra. Values are in 8-bit units, and may leave 0..255 where that is said. */

/** `out = 255 x + gain * pattern` for one image of unit values, the gain of each channel; `out` in 8-bit units. */
export function shiftInto(
  out: Float32Array,
  x: Float32Array,
  { pattern, gains }: { readonly pattern: Float64Array; readonly gains: readonly number[] },
): void {
  for (let c = 0, i = 0; c < gains.length; c++) {
    for (let at = 0; at < pattern.length; at++, i++) out[i] = 255 * x[i]! + gains[c]! * pattern[at]!;
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
