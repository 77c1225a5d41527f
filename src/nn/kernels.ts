/** @file Inner loops over constants of layers. Unchecked reads live here. */

/** Every `channels`-th plane filled with the same values: a depthwise kernel of one two-dimensional filter. */
export function repeatInto(out: Float32Array, values: ArrayLike<number>): void {
  for (let i = 0; i < out.length; i++) out[i] = values[i % values.length]!;
}
