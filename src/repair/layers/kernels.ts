/** @file Inner loops over the channels of parameters and of what layers read. */

/** Multiplies every channel by its factor. @param inner numbers of one channel that lie side by side. */
export function multiplyInto(values: Float32Array, factors: Float32Array, inner: number): void {
  const channels = factors.length;
  for (let i = 0; i < values.length; i++) values[i] = values[i]! * factors[Math.floor(i / inner) % channels]!;
}

/** Adds up the magnitudes of every channel. @param inner numbers of one channel that lie side by side. */
export function addMagnitudesInto(sums: Float64Array, values: Float32Array, inner: number): void {
  const channels = sums.length;
  for (let i = 0; i < values.length; i++) sums[Math.floor(i / inner) % channels]! += Math.abs(values[i]!);
}

/** Adds up the values and the squares of every channel. @param inner numbers of one channel that lie side by side. */
export function addMomentsInto(sums: Float64Array, squares: Float64Array, values: Float32Array, inner: number): void {
  const channels = sums.length;
  for (let i = 0; i < values.length; i++) {
    const channel = Math.floor(i / inner) % channels;
    sums[channel]! += values[i]!;
    squares[channel]! += values[i]! * values[i]!;
  }
}
