/**
 * @file The points that DPM-Solvers step over. Unlike DDPM and DDIM they may lie between the schedule's indices, so a
 * grid says both what the net is shown and the ratio sigma / alpha at every point.
 */
import { OptionError } from "../../core/errors.ts";
import { interpolate } from "../kernels.ts";
import { roundHalfEven } from "../round-half-even.ts";
import type { NoiseSchedule } from "../schedule.ts";
import { alphaBarAt, finiteAlphaBar, linspace, timestepAt } from "../schedules.ts";

/** n evaluations and n + 1 points. */
export interface SolverGrid {
  /** What the net is shown at each point but the last, length n. */
  readonly timesteps: Float64Array;
  /** sigma / alpha at each point, length n + 1, falling; 0 is the clean image. */
  readonly ratios: Float64Array;
}

/** Where a grid ends: on the clean image, or at index 0 with what little noise that has. */
export type GridEnd = "zero" | "index-0";

/** sigma / alpha at an index. @throws OptionError when the index is outside the schedule. */
export function ratioAt(schedule: NoiseSchedule, index: number): number {
  const alphaBar = finiteAlphaBar(alphaBarAt(schedule, index));
  return Math.sqrt((1 - alphaBar) / alphaBar);
}

/** The grid over descending indices, and from the last one to `end`. */
export function indexGrid(schedule: NoiseSchedule, indices: readonly number[], end: GridEnd): SolverGrid {
  return {
    timesteps: Float64Array.from(indices, (index) => timestepAt(schedule, index)),
    ratios: Float64Array.from([...indices.map((index) => ratioAt(schedule, index)), endRatio(schedule, end)]),
  };
}

/**
 * `steps` evaluations evenly in lambda from index `start`; the net is shown fractional timesteps, with log alpha
 * interpolated between indices.
 * @param end an index: the last point, not evaluated (`steps + 1` points); `"zero"`: the last evaluation is at index 0
 *   and the last point is the clean image.
 * @throws OptionError when the indices do not descend.
 * @source Lu et al. 2022, "DPM-Solver", section 3.4 and appendix D.4. https://arxiv.org/abs/2206.00927
 */
export function lambdaGrid(
  schedule: NoiseSchedule,
  { start, end, steps }: { readonly start: number; readonly end: number | "zero"; readonly steps: number },
): SolverGrid {
  if (start === 0 && end === "zero") return indexGrid(schedule, [0], "zero");
  const last = end === "zero" ? 0 : end;
  if (!(last < start)) throw new OptionError(`end: expected an index below the start ${start}, got ${last}.`);
  const [from, to] = [-Math.log(ratioAt(schedule, start)), -Math.log(ratioAt(schedule, last))];
  const points = linspace(from, to, end === "zero" ? steps : steps + 1).map((lambda) => Math.exp(-lambda));
  const evaluated = points.subarray(0, steps);
  // log alpha = -log(1 + ratio^2) / 2 rises towards the clean image, so the schedule is read backwards.
  const logAlphas = schedule.alphasBar.map((alphaBar) => Math.log(finiteAlphaBar(alphaBar)) / 2).reverse();
  const shown = schedule.timesteps.slice().reverse();
  return {
    timesteps: evaluated.map((ratio) => interpolate(-Math.log1p(ratio * ratio) / 2, logAlphas, shown)),
    ratios: end === "zero" ? Float64Array.of(...points, 0) : points,
  };
}

/**
 * `steps` evaluations from index `start` to index 0, evenly in ratio^(1/7), then the clean image. Indices shown to the
 * net are interpolated in log ratio and rounded, as diffusers does.
 * @throws OptionError when the start is not an index.
 * @source Karras et al. 2022, "Elucidating the Design Space of Diffusion-Based Generative Models", eq. 5. https://arxiv.org/abs/2206.00364
 */
export function karrasGrid(
  schedule: NoiseSchedule,
  { start, steps }: { readonly start: number; readonly steps: number },
): SolverGrid {
  if (start === 0) return indexGrid(schedule, [0], "zero");
  const rho = 7;
  const ratios = linspace(ratioAt(schedule, start) ** (1 / rho), ratioAt(schedule, 0) ** (1 / rho), steps).map(
    (root) => root ** rho,
  );
  const logRatios = schedule.alphasBar.map((_, index) => Math.log(ratioAt(schedule, index)));
  const indices = logRatios.map((_, index) => index);
  const indexOf = (ratio: number) => roundHalfEven(interpolate(Math.log(ratio), logRatios, indices));
  return {
    timesteps: ratios.map((ratio) => timestepAt(schedule, indexOf(ratio))),
    ratios: Float64Array.of(...ratios, 0),
  };
}

/**
 * How many indices have lambda of at least `lowest`: very noisy ends of cosine schedules are left out so
 * (diffusers' `lambda_min_clipped`, -5.1).
 */
export function indicesAbove(schedule: NoiseSchedule, lowest: number): number {
  return schedule.alphasBar.filter((_, index) => -Math.log(ratioAt(schedule, index)) >= lowest).length;
}

/**
 * The indices that diffusers' DPM-Solvers visit: `linspace` and `leading` make one more and drop the lowest.
 * @param total T, or {@link indicesAbove}. @param offset added to `leading` indices (`steps_offset`).
 * @throws OptionError when there are more steps than indices.
 */
export function solverIndices(
  total: number,
  steps: number,
  { spacing = "linspace", offset = 0, trained = total }: SolverSpacing = {},
): number[] {
  if (!Number.isInteger(steps) || steps < 1 || steps >= total) {
    throw new OptionError(`steps: expected an integer from 1 to ${total - 1}, got ${steps}.`);
  }
  if (spacing === "trailing") {
    return Array.from({ length: steps }, (_, k) => roundHalfEven(total - k * (trained / steps)) - 1);
  }
  const stride = Math.floor(total / (steps + 1));
  const ascending =
    spacing === "linspace"
      ? Array.from(linspace(0, total - 1, steps + 1), roundHalfEven)
      : Array.from({ length: steps + 1 }, (_, k) => k * stride + offset);
  return ascending.slice(1).reverse();
}

/** How {@link solverIndices} are spaced. */
export interface SolverSpacing {
  /** @default "linspace" */
  readonly spacing?: "linspace" | "leading" | "trailing";
  /** @default 0 */
  readonly offset?: number;
  /** T of the schedule, where `total` leaves some of it out; the stride of `trailing` follows it. @default total */
  readonly trained?: number;
}

function endRatio(schedule: NoiseSchedule, end: GridEnd): number {
  return end === "zero" ? 0 : ratioAt(schedule, 0);
}
