/** @file Inner loops of filters: reading pixels along a plan, medians, products with a small matrix. */

type Reals = Float32Array | Float64Array;

/** Which pixels of a plane make each point, `count` of them with their weights. */
export interface SamplingPlan {
  readonly points: number;
  readonly count: number;
  /** [points, count]: positions within a plane of H * W pixels. */
  readonly indices: Int32Array;
  /** [points, count] */
  readonly weights: Float64Array;
}

/** Reads every plane of `pixels` values along the plan, from `x` at `from` into `out` at `to`, `planes` planes. */
export function readAlongInto(
  out: Reals,
  x: Reals,
  { points, count, indices, weights }: SamplingPlan,
  at: { readonly planes: number; readonly pixels: number; readonly from: number; readonly to: number },
): void {
  for (let plane = 0; plane < at.planes; plane++) {
    const from = at.from + plane * at.pixels;
    const to = at.to + plane * points;
    for (let point = 0; point < points; point++) {
      let sum = 0;
      for (let k = point * count; k < (point + 1) * count; k++) {
        const weight = weights[k]!;
        // A pixel outside has weight zero, and is not read: it may be infinite.
        if (weight !== 0) sum += weight * x[from + indices[k]!]!;
      }
      out[to + point] = sum;
    }
  }
}

/** The median over windows of an odd side; `rows` and `columns` say which pixel stands at a padded position. */
export function medianInto(
  out: Reals,
  x: Reals,
  { rows, columns, side }: { readonly rows: Int32Array; readonly columns: Int32Array; readonly side: number },
): void {
  const [height, width] = [rows.length - side + 1, columns.length - side + 1];
  const window = new Float64Array(side * side);
  for (let start = 0, i = 0; start < x.length; start += height * width) {
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++, i++) {
        for (let k = 0; k < window.length; k++) {
          const line = rows[row + Math.floor(k / side)]!;
          window[k] = x[start + line * width + columns[column + (k % side)]!]!;
        }
        out[i] = window.sort()[(window.length - 1) / 2]!;
      }
    }
  }
}

/** `out[row] = basis x[row]` for every row of `size` values; with `transposed`, `basis^T x[row]`. */
export function projectRowsInto(
  out: Float64Array,
  x: Reals,
  { basis, size, transposed }: { readonly basis: Float64Array; readonly size: number; readonly transposed: boolean },
): void {
  const [down, across] = transposed ? [1, size] : [size, 1];
  for (let start = 0; start < x.length; start += size) {
    for (let k = 0; k < size; k++) {
      let sum = 0;
      for (let i = 0; i < size; i++) sum += basis[k * down + i * across]! * x[start + i]!;
      out[start + k] = sum;
    }
  }
}

/** The same along columns of planes of `size` x `width` values. */
export function projectColumnsInto(
  out: Float64Array,
  x: Reals,
  {
    basis,
    size,
    width,
    transposed,
  }: { readonly basis: Float64Array; readonly size: number; readonly width: number; readonly transposed: boolean },
): void {
  const [down, across] = transposed ? [1, size] : [size, 1];
  out.fill(0);
  for (let start = 0; start < x.length; start += size * width) {
    for (let k = 0; k < size; k++) {
      for (let i = 0; i < size; i++) {
        const weight = basis[k * down + i * across]!;
        for (let j = 0; j < width; j++) {
          out[start + k * width + j] = out[start + k * width + j]! + weight * x[start + i * width + j]!;
        }
      }
    }
  }
}
