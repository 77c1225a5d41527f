/** @file Inner loops of small dense linear algebra, row-major and in float64: Cholesky, tridiagonal form, eigenvalues. */

/**
 * A factor L of a symmetric positive semi-definite matrix of `n` rows, S = L L^T, by Cholesky with the largest pivot first.
 * Stops where pivots are rounding noise. `s` is overwritten.
 * @returns L^T as `rank` rows of `n` values.
 */
export function factorOf(s: Float64Array, n: number): { readonly rank: number; readonly rows: Float64Array } {
  let largest = 0;
  for (let i = 0; i < n; i++) largest = Math.max(largest, s[i * n + i]!);
  const noise = n * Number.EPSILON * largest;
  const rows = new Float64Array(n * n);
  let rank = 0;
  for (; rank < n; rank++) {
    let pivot = 0;
    for (let i = 1; i < n; i++) if (s[i * n + i]! > s[pivot * n + pivot]!) pivot = i;
    const value = s[pivot * n + pivot]!;
    if (!(value > noise)) break;
    const row = rows.subarray(rank * n, (rank + 1) * n);
    const scale = 1 / Math.sqrt(value);
    for (let i = 0; i < n; i++) row[i] = s[i * n + pivot]! * scale;
    for (let i = 0; i < n; i++) {
      const weight = row[i]!;
      if (weight === 0) continue;
      for (let j = 0; j < n; j++) s[i * n + j] = s[i * n + j]! - weight * row[j]!;
    }
    // What is left of the pivot is rounding noise, and must not be chosen again.
    for (let i = 0; i < n; i++) s[pivot * n + i] = s[i * n + pivot] = 0;
  }
  return { rank, rows: rows.subarray(0, rank * n) };
}

/** `a s a^T` for `rows` rows of `n` values and a symmetric matrix; [rows, rows]. */
export function congruent(a: Float64Array, s: Float64Array, rows: number, n: number): Float64Array {
  const half = new Float64Array(rows * n);
  for (let i = 0; i < rows; i++) {
    for (let k = 0; k < n; k++) {
      const weight = a[i * n + k]!;
      if (weight === 0) continue;
      for (let j = 0; j < n; j++) half[i * n + j] = half[i * n + j]! + weight * s[k * n + j]!;
    }
  }
  const out = new Float64Array(rows * rows);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      for (let k = 0; k < n; k++) sum += half[i * n + k]! * a[j * n + k]!;
      out[i * rows + j] = out[j * rows + i] = sum;
    }
  }
  return out;
}

/**
 * Householder reflections that leave a symmetric matrix of `n` rows with a diagonal and one beside it. `s` is overwritten.
 * @source Golub and Van Loan, "Matrix Computations", 4th edition, algorithm 8.3.1.
 */
export function tridiagonal(
  s: Float64Array,
  n: number,
): { readonly diagonal: Float64Array; readonly beside: Float64Array } {
  const beside = new Float64Array(n);
  const v = new Float64Array(n);
  const p = new Float64Array(n);
  for (let k = 0; k < n - 2; k++) {
    let norm = 0;
    for (let i = k + 1; i < n; i++) norm += s[i * n + k]! ** 2;
    norm = Math.sqrt(norm);
    const head = s[(k + 1) * n + k]!;
    const alpha = head > 0 ? -norm : norm;
    beside[k] = alpha;
    if (norm === 0) continue;
    let squares = 0;
    for (let i = k + 1; i < n; i++) {
      v[i] = s[i * n + k]! - (i === k + 1 ? alpha : 0);
      squares += v[i]! ** 2;
    }
    const scale = 2 / squares;
    let along = 0;
    for (let i = k + 1; i < n; i++) {
      let sum = 0;
      for (let j = k + 1; j < n; j++) sum += s[i * n + j]! * v[j]!;
      p[i] = scale * sum;
      along += p[i]! * v[i]!;
    }
    for (let i = k + 1; i < n; i++) p[i] = p[i]! - (scale * along * v[i]!) / 2;
    for (let i = k + 1; i < n; i++) {
      for (let j = k + 1; j < n; j++) s[i * n + j] = s[i * n + j]! - v[i]! * p[j]! - p[i]! * v[j]!;
    }
  }
  if (n > 1) beside[n - 2] = s[(n - 1) * n + n - 2]!;
  return { diagonal: Float64Array.from({ length: n }, (_, i) => s[i * n + i]!), beside };
}

/** Sweeps over one eigenvalue before giving up; three are usual. */
const SWEEPS = 60;

/**
 * Eigenvalues of a symmetric tridiagonal matrix, in place of its diagonal: QL steps with implicit shifts.
 * @returns whether all were found.
 * @source Dubrulle, Martin, Wilkinson 1968, "The implicit QL algorithm", Numerische Mathematik 12.
 */
export function eigenvaluesInPlace(diagonal: Float64Array, beside: Float64Array): boolean {
  const n = diagonal.length;
  for (let low = 0; low < n; low++) {
    for (let sweep = 0; ; sweep++) {
      let high = low;
      for (; high < n - 1; high++) {
        const size = Math.abs(diagonal[high]!) + Math.abs(diagonal[high + 1]!);
        if (Math.abs(beside[high]!) <= Number.EPSILON * size) break;
      }
      if (high === low) break;
      if (sweep === SWEEPS) return false;
      const slope = (diagonal[low + 1]! - diagonal[low]!) / (2 * beside[low]!);
      const root = Math.hypot(slope, 1);
      let g = diagonal[high]! - diagonal[low]! + beside[low]! / (slope + (slope < 0 ? -root : root));
      let [sine, cosine, shift] = [1, 1, 0];
      let i = high - 1;
      for (; i >= low; i--) {
        const f = sine * beside[i]!;
        const b = cosine * beside[i]!;
        const length = Math.hypot(f, g);
        beside[i + 1] = length;
        if (length === 0) {
          diagonal[i + 1] = diagonal[i + 1]! - shift;
          beside[high] = 0;
          break;
        }
        sine = f / length;
        cosine = g / length;
        g = diagonal[i + 1]! - shift;
        const turn = (diagonal[i]! - g) * sine + 2 * cosine * b;
        shift = sine * turn;
        diagonal[i + 1] = g + shift;
        g = cosine * turn - b;
      }
      if (i >= low) continue;
      diagonal[low] = diagonal[low]! - shift;
      beside[low] = g;
      beside[high] = 0;
    }
  }
  return true;
}

/** Adds the rows of a batch to sums: `mean` becomes the batch's mean, `scatter` gains its scatter about that mean. */
export function scatterInto(mean: Float64Array, scatter: Float64Array, rows: ArrayLike<number>): void {
  const d = mean.length;
  const n = rows.length / d;
  mean.fill(0);
  for (let i = 0; i < rows.length; i++) mean[i % d] = mean[i % d]! + rows[i]! / n;
  const centred = new Float64Array(d);
  for (let row = 0; row < n; row++) {
    for (let i = 0; i < d; i++) centred[i] = rows[row * d + i]! - mean[i]!;
    outerInto(scatter, centred, 1);
  }
}

/** `matrix += weight * v v^T` */
export function outerInto(matrix: Float64Array, v: Float64Array, weight: number): void {
  const d = v.length;
  for (let i = 0; i < d; i++) {
    const scale = weight * v[i]!;
    for (let j = 0; j < d; j++) matrix[i * d + j] = matrix[i * d + j]! + scale * v[j]!;
  }
}
