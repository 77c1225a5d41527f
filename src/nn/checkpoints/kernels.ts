/** @file Inner loops over weights. */

/** Index of the first NaN or infinity, -1 when there is none. */
export function firstNonFinite(values: Float32Array): number {
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i]!)) return i;
  return -1;
}

/** The code points of a text, of which each is below 256, as bytes. */
export function latinInto(out: Uint8Array, text: string): void {
  for (let i = 0; i < out.length; i++) out[i] = text.charCodeAt(i);
}
