/** @file Inner loops over floats. Unchecked reads live here and nowhere else. */

type Reals = Float32Array | Float64Array;

/** `out[i] = sum over terms of weights[k] * inputs[k][i]`, accumulated in float64. */
export function combineInto(out: Reals, weights: readonly number[], inputs: readonly Reals[]): void {
  if (inputs.length === 2) {
    const [a, b] = [weights[0]!, weights[1]!];
    const [x, y] = [inputs[0]!, inputs[1]!];
    for (let i = 0; i < out.length; i++) out[i] = a * x[i]! + b * y[i]!;
    return;
  }
  if (inputs.length === 3) {
    const [a, b, c] = [weights[0]!, weights[1]!, weights[2]!];
    const [x, y, z] = [inputs[0]!, inputs[1]!, inputs[2]!];
    for (let i = 0; i < out.length; i++) out[i] = a * x[i]! + b * y[i]! + c * z[i]!;
    return;
  }
  for (let i = 0; i < out.length; i++) {
    let sum = 0;
    for (let k = 0; k < inputs.length; k++) sum += weights[k]! * inputs[k]![i]!;
    out[i] = sum;
  }
}

/** `out[i] = min(max(x[i], low), high)`; out and x may be the same array. NaN stays NaN. */
export function clampInto(out: Reals, x: Reals, low: number, high: number): void {
  for (let i = 0; i < out.length; i++) {
    const value = x[i]!;
    out[i] = value < low ? low : value > high ? high : value;
  }
}
