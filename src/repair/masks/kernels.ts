/** @file Inner loops over the multipliers of all channels. */

/** `out = a + b` */
export function sumInto(out: Float32Array, a: Float32Array, b: Float32Array): void {
  for (let i = 0; i < out.length; i++) out[i] = a[i]! + b[i]!;
}

/** `noise += rate * sign(gradient)`, kept in [-most, most]. */
export function ascendInto(
  noise: Float32Array,
  gradient: Float32Array,
  { rate, most }: { readonly rate: number; readonly most: number },
): void {
  for (let i = 0; i < noise.length; i++) {
    noise[i] = Math.min(most, Math.max(-most, noise[i]! + rate * Math.sign(gradient[i]!)));
  }
}

/** `a = share * a + (1 - share) * b` where `counts` is one, else zero. */
export function mixInto(
  a: Float32Array,
  b: Float32Array,
  { share, counts }: { readonly share: number; readonly counts: Uint8Array },
): void {
  for (let i = 0; i < a.length; i++) a[i] = counts[i] === 1 ? share * a[i]! + (1 - share) * b[i]! : 0;
}

/** Keeps every number in [0, 1]. */
export function clampInto(values: Float32Array): void {
  for (let i = 0; i < values.length; i++) values[i] = Math.min(1, Math.max(0, values[i]!));
}
