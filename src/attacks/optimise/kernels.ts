/** @file Inner loops of triggers that are searched for. */

/** `out += factor * x`. */
export function addScaledInto(out: Float64Array, x: ArrayLike<number>, factor: number): void {
  for (let i = 0; i < out.length; i++) out[i] = out[i]! + factor * x[i]!;
}

/** The sum of squares. */
export function squaredNorm(x: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i]! * x[i]!;
  return sum;
}
