/** @file The standard normal distribution, to about 1e-13 relative in both tails. */

/** Density at x. */
export function normalDensity(x: number): number {
  return Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
}

/**
 * Probability that a standard normal variable is at most x.
 * @source Marsaglia 2004, "Evaluating the normal distribution" (series near 0); DLMF 7.9 (continued fraction of Mills'
 * ratio in the tails).
 */
export function normalCdf(x: number): number {
  if (Number.isNaN(x)) return Number.NaN;
  if (x > 3) return 1 - normalCdf(-x);
  if (x < -3) return normalDensity(x) / millsFraction(-x);
  let term = x;
  let sum = 0;
  for (let i = 3; sum + term !== sum; i += 2) {
    sum += term;
    term *= (x * x) / i;
  }
  return 0.5 + sum * normalDensity(x);
}

/** The x with normalCdf(x) = p, by bisection. @param p 0..1; 0 and 1 give -Infinity and Infinity. */
export function normalQuantile(p: number): number {
  if (p === 0.5) return 0;
  if (p > 0.5) return -normalQuantile(1 - p);
  if (!(p > 0)) return p === 0 ? Number.NEGATIVE_INFINITY : Number.NaN;
  let [low, high] = [-40, 0];
  for (;;) {
    const middle = (low + high) / 2;
    if (middle === low || middle === high) return middle;
    if (normalCdf(middle) < p) low = middle;
    else high = middle;
  }
}

/** x + 1/(x + 2/(x + 3/(x + …))) for x >= 3, where 120 terms are exact to the last digit. */
function millsFraction(x: number): number {
  let value = x;
  for (let k = 120; k >= 1; k--) value = x + k / value;
  return value;
}
