/**
 * @file Sine without `Math.sin`, whose last bits differ among engines: sums and products alone are the same everywhere,
 * and so are the pictures that are made with them.
 */

/** sin(2 pi t) for any t, within 4e-6. @source Taylor's series to the ninth power on a quarter turn. */
export function sineOfTurn(t: number): number {
  const wave = t - Math.floor(t); // [0, 1)
  // sin is odd about 1/2 and even about 1/4.
  const half = wave < 0.5 ? wave : wave - 0.5;
  const quarter = half < 0.25 ? half : 0.5 - half;
  const x = quarter * 6.283185307179586;
  const s = x * x;
  const value = x * (1 - (s / 6) * (1 - (s / 20) * (1 - (s / 42) * (1 - s / 72))));
  return wave < 0.5 ? value : -value;
}

/** cos(2 pi t). */
export function cosineOfTurn(t: number): number {
  return sineOfTurn(t + 0.25);
}
