/**
 * @file The regularised incomplete beta function and its inverse, exact to about 1e-13 relative also for counts of a
 * million: the binomial distribution and every Clopper-Pearson bound rest on it.
 */

/**
 * The binomial density for real arguments: Γ(n+1) / (Γ(k+1) Γ(n-k+1)) p^k (1-p)^(n-k).
 * @param k 0..n. @param p 0..1.
 * @source Loader 2000, "Fast and accurate computation of binomial probabilities": the large logarithms cancel before
 * anything is computed, so no digits are lost to them.
 */
export function binomialDensity(k: number, n: number, p: number): number {
  if (p === 0) return k === 0 ? 1 : 0;
  if (p === 1) return k === n ? 1 : 0;
  if (k === 0) return Math.exp(n * Math.log1p(-p));
  if (k === n) return Math.exp(n * Math.log(p));
  const exponent =
    stirlingError(n) -
    stirlingError(k) -
    stirlingError(n - k) -
    halfDeviance(k, n * p) -
    halfDeviance(n - k, n * (1 - p));
  return Math.exp(exponent) * Math.sqrt(n / (2 * Math.PI * k * (n - k)));
}

/**
 * The regularised incomplete beta function I_x(a, b), the probability that a Beta(a, b) variable is at most x.
 * @param x 0..1. @param a,b positive.
 * @source DLMF 8.17.22 (continued fraction), evaluated by Lentz's method.
 */
export function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  // The fraction converges fast left of the mean; the other half is its mirror image.
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a);
  return (b / (a + b)) * binomialDensity(a, a + b, x) * betaFraction(x, a, b);
}

/** The x with I_x(a, b) = p, by bisection down to neighbouring doubles. @param p 0..1. */
export function betaQuantile(p: number, a: number, b: number): number {
  let [low, high] = [0, 1];
  for (;;) {
    const middle = (low + high) / 2;
    if (middle === low || middle === high || high - low < 1e-16 * high) return middle;
    if (incompleteBeta(middle, a, b) < p) low = middle;
    else high = middle;
  }
}

/** 1 / (1 + d1 / (1 + d2 / (1 + …))) with d of DLMF 8.17.23. */
function betaFraction(x: number, a: number, b: number): number {
  const tiny = 1e-300;
  let numerator = 1;
  let denominator = 1 / notZero(1 - ((a + b) * x) / (a + 1), tiny);
  let value = denominator;
  for (let m = 1; m < 100_000; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    denominator = 1 / notZero(1 + even * denominator, tiny);
    numerator = notZero(1 + even / numerator, tiny);
    value *= denominator * numerator;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    denominator = 1 / notZero(1 + odd * denominator, tiny);
    numerator = notZero(1 + odd / numerator, tiny);
    value *= denominator * numerator;
    if (Math.abs(denominator * numerator - 1) < 1e-16) break;
  }
  return value;
}

function notZero(value: number, tiny: number): number {
  return Math.abs(value) < tiny ? tiny : value;
}

/** ln Γ(x+1) minus Stirling's (x + 1/2) ln x - x + ln(2π)/2, for x > 0. */
function stirlingError(x: number): number {
  if (x < 16) return stirlingError(x + 1) + (x + 0.5) * Math.log1p(1 / x) - 1;
  const y = 1 / (x * x);
  return (1 / 12 - y * (1 / 360 - y * (1 / 1260 - y * (1 / 1680 - y / 1188)))) / x;
}

/** x ln(x/m) + m - x, without cancellation where x is near m. */
function halfDeviance(x: number, m: number): number {
  if (Math.abs(x - m) >= 0.1 * (x + m)) return x * Math.log(x / m) + m - x;
  const v = (x - m) / (x + m);
  let sum = (x - m) * v;
  let term = 2 * x * v;
  for (let j = 1; ; j++) {
    term *= v * v;
    const next = sum + term / (2 * j + 1);
    if (next === sum) return sum;
    sum = next;
  }
}
