/** @file Inner loops of the samplers. Unchecked reads live here. */

type Reals = Float32Array | Float64Array;

/** `out[i] += exp(log deviation) * z[i]`, the log variance interpolated from `low` to `high` by (v[i] + 1) / 2. */
export function addInterpolatedNoiseInto(out: Reals, v: Reals, z: Reals, low: number, high: number): void {
  const [middle, half] = [(low + high) / 4, (high - low) / 4];
  for (let i = 0; i < out.length; i++) out[i] = out[i]! + Math.exp(middle + half * v[i]!) * z[i]!;
}

/** The quantile of |values| at `ratio` in [0, 1], linearly interpolated between order statistics. */
export function absoluteQuantile(values: Reals, ratio: number): number {
  const sorted = Float64Array.from(values, Math.abs).sort();
  const position = ratio * (sorted.length - 1);
  const below = Math.floor(position);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below]! + (position - below) * (sorted[above]! - sorted[below]!);
}

/** `out[i] = clamp(x[i], -limit, limit) / limit`. NaN stays NaN. */
export function clampAndScaleInto(out: Reals, x: Reals, limit: number): void {
  for (let i = 0; i < out.length; i++) {
    const value = x[i]!;
    out[i] = value < -limit ? -1 : value > limit ? 1 : value / limit;
  }
}
