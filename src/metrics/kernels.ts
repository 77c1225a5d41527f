/** @file Inner loops of the image metrics. */

type Reals = Float32Array | Float64Array;

/** The five planes whose local means make SSIM: a, b, a², b², ab. */
const STATISTICS = 5;

/** What {@link ssimPlaneInto} needs besides the two planes. */
export interface SsimPlane {
  readonly height: number;
  readonly width: number;
  /** Weights of the window along one axis, an odd number of them that sum to one. */
  readonly taps: Float64Array;
  /** Row that stands for row i - radius of the padded image, -1 where it is zero. */
  readonly rows: Int32Array;
  /** The same for columns. */
  readonly columns: Int32Array;
  readonly c1: number;
  readonly c2: number;
  /** Factor of variances and the covariance. */
  readonly correction: number;
  /** Negative variances, which are rounding noise, become 0. */
  readonly clampVariance: boolean;
  /** Two pieces of memory to work in, see {@link ssimScratch}; their type is the precision. */
  readonly scratch: readonly [Reals, Reals];
}

/** Memory that {@link ssimPlaneInto} works in. */
export function ssimScratch(height: number, width: number, single: boolean): readonly [Reals, Reals] {
  const size = STATISTICS * height * width;
  return single ? [new Float32Array(size), new Float32Array(size)] : [new Float64Array(size), new Float64Array(size)];
}

/** SSIM map of one plane: a separable window over a, b and their products. `offset` is where the plane starts. */
export function ssimPlaneInto(out: Float64Array, a: Reals, b: Reals, offset: number, plane: SsimPlane): void {
  const { height, width, c1, c2, correction, clampVariance, scratch } = plane;
  const size = height * width;
  const [products, means] = scratch;
  for (let i = 0; i < size; i++) {
    const [valueA, valueB] = [a[offset + i]!, b[offset + i]!];
    products[i] = valueA;
    products[size + i] = valueB;
    products[2 * size + i] = valueA * valueA;
    products[3 * size + i] = valueB * valueB;
    products[4 * size + i] = valueA * valueB;
  }
  filterRowsInto(means, products, plane);
  filterColumnsInto(products, means, plane);
  const r = products instanceof Float32Array ? Math.fround : (value: number) => value;
  for (let i = 0; i < size; i++) {
    const [meanA, meanB] = [products[i]!, products[size + i]!];
    let varianceA = r(correction * r(products[2 * size + i]! - r(meanA * meanA)));
    let varianceB = r(correction * r(products[3 * size + i]! - r(meanB * meanB)));
    const covariance = r(correction * r(products[4 * size + i]! - r(meanA * meanB)));
    if (clampVariance) {
      varianceA = Math.max(varianceA, 0);
      varianceB = Math.max(varianceB, 0);
    }
    const numerator = r(r(2 * meanA * meanB) + c1) * r(2 * covariance + c2);
    const denominator = r(r(r(meanA * meanA) + r(meanB * meanB)) + c1) * r(r(varianceA + varianceB) + c2);
    out[offset + i] = r(r(numerator) / r(denominator));
  }
}

/** The window along the first axis of every plane; sums in float64. */
function filterRowsInto(out: Reals, planes: Reals, { height, width, taps, rows }: SsimPlane): void {
  for (let start = 0; start < planes.length; start += height * width) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        let sum = 0;
        for (let k = 0; k < taps.length; k++) {
          const row = rows[y + k]!;
          if (row >= 0) sum += taps[k]! * planes[start + row * width + x]!;
        }
        out[start + y * width + x] = sum;
      }
    }
  }
}

/** The window along the second axis of every plane; sums in float64. */
function filterColumnsInto(out: Reals, planes: Reals, { width, taps, columns }: SsimPlane): void {
  for (let row = 0; row < planes.length; row += width) {
    for (let x = 0; x < width; x++) {
      let sum = 0;
      for (let k = 0; k < taps.length; k++) {
        const column = columns[x + k]!;
        if (column >= 0) sum += taps[k]! * planes[row + column]!;
      }
      out[row + x] = sum;
    }
  }
}
