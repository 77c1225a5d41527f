/** @file Inner loops over constants of layers. Unchecked reads live here. */

/** Fills `out` with the same values again and again: a depthwise kernel of one filter for all channels. */
export function repeatInto(out: Float32Array, values: ArrayLike<number>): void {
  for (let i = 0; i < out.length; i++) out[i] = values[i % values.length]!;
}
