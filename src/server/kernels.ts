/** @file Inner loops of the gateway; reads are unchecked, so callers check sizes first. */

/** How a client's numbers stand for pixels: value = gain * pixel + shift, by channel. */
export interface UnpackPlan {
  readonly channels: number;
  readonly plane: number;
  readonly gain: ArrayLike<number>;
  readonly shift: ArrayLike<number>;
  readonly channelsLast: boolean;
}

/**
 * Pixels [N, C, H, W] in [0, 1] of a client's numbers; those that miss the range by rounding alone are put into it.
 * @returns the index of the first number that is no pixel, or -1.
 */
export function unpackInto(out: Float32Array, values: ArrayLike<number>, plan: UnpackPlan, tolerance: number): number {
  const { channels, plane, channelsLast } = plan;
  const size = channels * plane;
  for (let image = 0; image < out.length; image += size) {
    for (let c = 0; c < channels; c++) {
      const from = image + (channelsLast ? c : c * plane);
      const to = image + c * plane;
      const stride = channelsLast ? channels : 1;
      const gain = plan.gain[c]!;
      const shift = plan.shift[c]!;
      for (let p = 0; p < plane; p++) {
        const pixel = (values[from + p * stride]! - shift) / gain;
        // Not `<` alone: what is no number must be found, too.
        if (!(pixel >= -tolerance && pixel <= 1 + tolerance)) return from + p * stride;
        out[to + p] = Math.min(Math.max(pixel, 0), 1);
      }
    }
  }
  return -1;
}
