/** @file A smooth curve through noisy values, without the lag of a running mean. */

/**
 * The mean around each value, weighted with exp(-|distance| / span) to both sides: a forward and a backward exponential
 * mean of which neither lags, since the other leads. Values that are not finite weigh nothing.
 * @param span in values, above 0. @returns as many values; NaN only where no value is finite.
 */
export function smoothed(values: ArrayLike<number>, span: number): Float64Array {
  const decay = Math.exp(-1 / span);
  const n = values.length;
  const sums = new Float64Array(n);
  const weights = new Float64Array(n);
  const sweep = (order: (i: number) => number, countsItself: boolean): void => {
    let [sum, weight] = [0, 0];
    for (let i = 0; i < n; i++) {
      const at = order(i);
      const value = values[at] ?? Number.NaN;
      const known = Number.isFinite(value) ? 1 : 0;
      const [before, weightBefore] = [sum * decay, weight * decay];
      sum = before + (known === 1 ? value : 0);
      weight = weightBefore + known;
      sums[at] = (sums[at] ?? 0) + (countsItself ? sum : before);
      weights[at] = (weights[at] ?? 0) + (countsItself ? weight : weightBefore);
    }
  };
  sweep((i) => i, true);
  sweep((i) => n - 1 - i, false);
  return sums.map((sum, i) => sum / (weights[i] ?? 0));
}
