/** @file Which indices a sampler visits, from noisy to clean. Lists are rounded half to even, as NumPy does. */
import { OptionError } from "../../core/errors.ts";
import type { Jump } from "../posterior.ts";
import { roundHalfEven } from "../round-half-even.ts";
import { linspace } from "../schedules.ts";

/** The steps over descending indices, and from the last one to `end` (-1: the clean image). */
export function jumpsOver(indices: readonly number[], end = -1): Jump[] {
  return indices.map((from, k) => ({ from, to: indices[k + 1] ?? end }));
}

/** Every index from `start` down to 0: what ancestral sampling was trained for. */
export function everyIndex(start: number): number[] {
  checkGrid(start, 1);
  return Array.from({ length: start + 1 }, (_, k) => start - k);
}

/**
 * `lin`: `steps` indices evenly from `start` to 0, both included; fewer where rounding makes two equal.
 * @throws OptionError when start is not an index or steps is not positive.
 */
export function linGrid(start: number, steps: number): number[] {
  checkGrid(start, steps);
  return [...new Set(Array.from(linspace(start, 0, steps), roundHalfEven))];
}

/**
 * `trail`: `steps` indices evenly from `start`, the last one a whole stride above 0, so that no call is spent on an
 * image that is almost clean; fewer where rounding makes two equal.
 * @throws OptionError when start is not an index or steps is not positive.
 */
export function trailGrid(start: number, steps: number): number[] {
  checkGrid(start, steps);
  return [...new Set(Array.from(linspace(start, 0, steps + 1).subarray(0, -1), roundHalfEven))];
}

/** How diffusers spaces timesteps over the whole schedule. */
export type TimestepSpacing = "leading" | "trailing" | "linspace";

/**
 * The indices that diffusers' DDPM and DDIM visit.
 * @param total T of the schedule. @param steps how many, 1..T. @param offset added to `leading` indices (`steps_offset`).
 * @throws OptionError when there are more steps than indices.
 */
export function spacedIndices(total: number, steps: number, spacing: TimestepSpacing, offset = 0): number[] {
  checkGrid(total - 1, steps);
  if (steps > total)
    throw new OptionError(`steps: expected at most ${total}, the steps of the schedule, got ${steps}.`);
  if (spacing === "linspace") return Array.from(linspace(0, total - 1, steps), roundHalfEven).reverse();
  if (spacing === "trailing") {
    return Array.from({ length: steps }, (_, k) => roundHalfEven(total - k * (total / steps)) - 1);
  }
  const stride = Math.floor(total / steps);
  return Array.from({ length: steps }, (_, k) => (steps - 1 - k) * stride + offset);
}

function checkGrid(start: number, steps: number): void {
  if (!Number.isInteger(start) || start < 0) throw new OptionError(`start: expected an index from 0 up, got ${start}.`);
  if (!Number.isInteger(steps) || steps < 1)
    throw new OptionError(`steps: expected an integer from 1 up, got ${steps}.`);
}
