/** @file Inner loops of triggers that are searched for. */

/** Sums along one axis of planes, weighted: the value at `i` reads `i + k - before` for each weight k; zeros outside. */
export function filterAxisInto(
  out: Float64Array,
  x: Float64Array,
  weights: Float64Array,
  { planes, length, stride, other, otherStride, before }: AxisOfPlanes,
): void {
  const size = x.length / planes;
  for (let plane = 0; plane < planes; plane++) {
    for (let j = 0; j < other; j++) {
      const start = plane * size + j * otherStride;
      for (let i = 0; i < length; i++) {
        let sum = 0;
        const first = Math.max(0, before - i);
        const last = Math.min(weights.length, length + before - i);
        for (let k = first; k < last; k++) sum += weights[k]! * x[start + (i + k - before) * stride]!;
        out[start + i * stride] = sum;
      }
    }
  }
}

/** An axis of planes that lie one behind the other. */
export interface AxisOfPlanes {
  readonly planes: number;
  /** Values along the axis, and the distance between two. */
  readonly length: number;
  readonly stride: number;
  /** Values along the other axis, and the distance between two. */
  readonly other: number;
  readonly otherStride: number;
  /** Weights before the middle. */
  readonly before: number;
}

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
