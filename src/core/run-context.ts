/** @file What rides along with every long computation: noise, cancellation, progress. */

/**
 * Standard normal noise as a function, never of call order.
 * @param image row of the batch the noise is for; the source knows that row's image id.
 * @param stream vote and stage, such as `vote0/first`.
 * @param step number of the draw within the stream, 0..2^32-1.
 * @param size how many values.
 * @returns `size` values of N(0, 1).
 */
export type NoiseSource = (image: number, stream: string, step: number, size: number) => Float32Array;

/** Noise, cancellation and progress of one run. */
export interface RunContext {
  readonly noise: NoiseSource;
  readonly signal?: AbortSignal | undefined;
  /** Called with the share of the work done so far, in whatever unit `total` has. */
  progress?(done: number, total: number): void;
}
