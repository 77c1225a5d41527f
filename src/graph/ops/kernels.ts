/** @file Weights of resampling along one axis, and small matrices. Unchecked reads live here. */

/** The transpose of a row-major matrix with given numbers of rows and columns. */
export function transposeMatrix(values: Float64Array, rows: number, columns: number): Float64Array {
  const out = new Float64Array(values.length);
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) out[c * rows + r] = values[r * columns + c]!;
  return out;
}

/** Adds weights to one row of a matrix; positions beyond the ends count for the ends. */
export function addTaps(row: Float64Array, first: number, weights: readonly number[]): void {
  for (let k = 0; k < weights.length; k++) {
    row[Math.min(Math.max(first + k, 0), row.length - 1)]! += weights[k]!;
  }
}
