/** @file Inner loops over schedules and batches. Unchecked reads live here. */

type Reals = Float32Array | Float64Array;

/** Product of everything up to and including each entry. */
export function cumulativeProduct(values: Float64Array): Float64Array {
  const out = new Float64Array(values.length);
  let product = 1;
  for (let i = 0; i < values.length; i++) {
    product *= values[i]!;
    out[i] = product;
  }
  return out;
}

/** What `cumulativeProduct` multiplied: each entry over the one before it, the first as it is. */
export function ratiosOf(products: Float64Array): Float64Array {
  return products.map((product, i) => (i === 0 ? product : product / products[i - 1]!));
}

/** y at x on the line through the neighbours of x in `xs`, strictly ascending; the end values beyond the ends. */
export function interpolate(x: number, xs: Float64Array, ys: Float64Array): number {
  const last = xs.length - 1;
  if (x <= xs[0]!) return ys[0]!;
  if (x >= xs[last]!) return ys[last]!;
  let [below, above] = [0, last];
  while (above - below > 1) {
    const middle = (below + above) >> 1;
    if (xs[middle]! <= x) below = middle;
    else above = middle;
  }
  const share = (x - xs[below]!) / (xs[above]! - xs[below]!);
  return (1 - share) * ys[below]! + share * ys[above]!;
}

/** `out[n] = a[n] x[n] + b[n] y[n]` for every row n of equal size. */
export function combineRowsInto(
  out: Reals,
  { a, x, b, y }: { a: Float64Array; x: Reals; b: Float64Array; y: Reals },
): void {
  const size = out.length / a.length;
  for (let row = 0; row < a.length; row++) {
    const [p, q] = [a[row]!, b[row]!];
    for (let i = row * size; i < (row + 1) * size; i++) out[i] = p * x[i]! + q * y[i]!;
  }
}

/** The first (`half` 0) or second (1) half of every one of `rows` rows of x; out holds half as much as x. */
export function channelsInto(out: Reals, x: Reals, rows: number, half: 0 | 1): void {
  const size = out.length / rows;
  for (let row = 0; row < rows; row++) {
    const from = (2 * row + half) * size;
    out.set(x.subarray(from, from + size), row * size);
  }
}

/** Fills `rows` rows with the rows of x, then with its first row again. */
export function fillRowsInto(out: Reals, x: Reals, rows: number): void {
  const size = out.length / rows;
  out.set(x);
  for (let from = x.length; from < out.length; from += size) out.set(x.subarray(0, size), from);
}
