/** @file Inner loops over schedules. */

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
