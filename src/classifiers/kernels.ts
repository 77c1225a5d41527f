/** @file Inner loops of classifiers: images into a model's input, logits into probabilities, images up a gradient. */

/** How one image becomes a model's input: value = gain[c] * x + shift[c]. */
export interface PackPlan {
  readonly channels: number;
  /** Height times width. */
  readonly plane: number;
  /** One factor per channel of the model. */
  readonly gain: Float64Array;
  /** One summand per channel of the model. */
  readonly shift: Float64Array;
  /** The model takes channels in reverse order (BGR). */
  readonly reverse: boolean;
  /** Channels last: [N, H, W, C]. */
  readonly channelsLast: boolean;
}

/** Writes images [N, C, H, W] as the plan says, from the start of `out`; a clamped array also rounds. */
export function packInto(out: Float32Array | Uint8ClampedArray, x: Float32Array, plan: PackPlan): void {
  const { channels, plane, reverse, channelsLast } = plan;
  const size = channels * plane;
  for (let image = 0; image < x.length; image += size) {
    for (let c = 0; c < channels; c++) {
      const from = image + (reverse ? channels - 1 - c : c) * plane;
      const to = image + (channelsLast ? c : c * plane);
      const stride = channelsLast ? channels : 1;
      const gain = plan.gain[c]!;
      const shift = plan.shift[c]!;
      for (let p = 0; p < plane; p++) out[to + p * stride] = gain * x[from + p]! + shift;
    }
  }
}

/** Softmax of each row of k logits, in float64, rounded once. */
export function softmaxRowsInto(out: Float32Array, logits: Float32Array, k: number): void {
  for (let row = 0; row < logits.length; row += k) {
    let largest = Number.NEGATIVE_INFINITY;
    for (let i = row; i < row + k; i++) largest = Math.max(largest, logits[i]!);
    let sum = 0;
    for (let i = row; i < row + k; i++) sum += Math.exp(logits[i]! - largest);
    for (let i = row; i < row + k; i++) out[i] = Math.exp(logits[i]! - largest) / sum;
  }
}

/** One step of PGD in place: up the sign of the gradient, back to within `epsilon` of `origin`, and into [0, 1]. */
export function ascendInto(
  x: Float32Array,
  gradient: Float32Array,
  origin: Float32Array,
  { epsilon, step }: { readonly epsilon: number; readonly step: number },
): void {
  for (let i = 0; i < x.length; i++) {
    const moved = x[i]! + step * Math.sign(gradient[i]!);
    const near = Math.min(Math.max(moved, origin[i]! - epsilon), origin[i]! + epsilon);
    x[i] = Math.min(Math.max(near, 0), 1);
  }
}

/** Index of the first value that is no finite number; -1 where there is none. */
export function firstNonFinite(values: Float32Array): number {
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i]!)) return i;
  return -1;
}
