/** @file What a noise schedule is: float64 throughout, index 0 already carries one noise step. */

/** Betas, their cumulative products, and what the net is shown at each index. All of length T, float64. */
export interface NoiseSchedule {
  readonly betas: Float64Array;
  /** alphasBar[i] = product of 1 - betas[0..i]. */
  readonly alphasBar: Float64Array;
  /** What the net is shown at index i: i itself, unless the schedule is respaced or its timesteps rescaled. */
  readonly timesteps: Float64Array;
}
