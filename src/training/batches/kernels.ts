/** @file Inner loops of assembling batches. */

/** What {@link noisedInto} mixes. */
export interface NoisedImage {
  /** 8-bit values. */
  readonly pixels: Uint8Array;
  readonly noise: Float32Array;
  /** sqrt(alphaBar) */
  readonly signal: number;
  /** sqrt(1 - alphaBar) */
  readonly deviation: number;
}

/** `out = signal * x + deviation * noise`, x the pixels in [-1, 1]. */
export function noisedInto(out: Float32Array, { pixels, noise, signal, deviation }: NoisedImage): void {
  for (let i = 0; i < out.length; i++) {
    out[i] = signal * (pixels[i]! / 127.5 - 1) + deviation * noise[i]!;
  }
}
