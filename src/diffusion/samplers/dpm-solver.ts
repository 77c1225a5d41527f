/** @file Mathematics that DPM-Solver and DPM-Solver++ share, single- and multistep. */

/** Alpha bar as the solvers take it: 2^-24 in place of 0 (the last of a zero-SNR schedule), where log-SNR is infinite. */
export function solverAlphaBar(alphaBar: number): number {
  return alphaBar === 0 ? 2 ** -24 : alphaBar;
}
