/**
 * @file Fewer steps out of many, as OpenAI's checkpoints are sampled: choose indices, then make the schedule over them.
 * @source openai/guided-diffusion, respace.py
 */
import { OptionError } from "../core/errors.ts";
import { ratiosOf } from "./kernels.ts";
import { roundHalfEven } from "./round-half-even.ts";
import type { NoiseSchedule } from "./schedule.ts";
import { alphaBarAt, timestepAt } from "./schedules.ts";

/**
 * The indices that a respacing keeps, ascending.
 * @param steps T of the full schedule.
 * @param spec `"250"`: so many, evenly, both ends included; `"10,15,20"`: the chain cut into three equal sections (the
 *   first ones longer by one where T does not divide) with so many each; `"ddim50"`: the first integer stride that
 *   gives exactly so many, from 0.
 * @throws OptionError when the spec is not of these forms or asks for more steps than there are.
 */
export function spaceTimesteps(steps: number, spec: string): number[] {
  const ddim = /^ddim(\d{1,9})$/.exec(spec.trim());
  if (ddim !== null) return strided(steps, Number(ddim[1]));
  const counts = spec.split(",").map((count) => (/^\s*\d{1,9}\s*$/.test(count) ? Number(count) : 0));
  if (counts.includes(0)) {
    throw new OptionError(`respacing: expected "250", "10,15,20" or "ddim50" with positive counts, got "${spec}".`);
  }
  const size = Math.floor(steps / counts.length);
  const longer = steps % counts.length;
  return counts.flatMap((count, section) => {
    const length = size + (section < longer ? 1 : 0);
    const start = section * size + Math.min(section, longer);
    if (count > length) {
      throw new OptionError(
        `respacing "${spec}": expected at most ${length} steps in section ${section + 1}, got ${count}.`,
      );
    }
    return evenly(start, length, count);
  });
}

/**
 * The schedule over some of the indices: alpha bar stays what it was at each, betas follow from it, and the net is
 * still shown what it was trained on.
 * @param use indices, strictly ascending, 0..T-1. @throws OptionError when they are not.
 */
export function respace(schedule: NoiseSchedule, use: readonly number[]): NoiseSchedule {
  if (use.length === 0) throw new OptionError("respacing: expected at least one index, got none.");
  use.forEach((index, k) => {
    const before = use[k - 1] ?? -1;
    if (!(index > before))
      throw new OptionError(`respacing: expected ascending indices, got ${index} after ${before}.`);
  });
  const alphasBar = Float64Array.from(use, (index) => alphaBarAt(schedule, index));
  return {
    betas: ratiosOf(alphasBar).map((ratio) => 1 - ratio),
    alphasBar,
    timesteps: Float64Array.from(use, (index) => timestepAt(schedule, index)),
  };
}

/** `count` positions over a section, both ends included. The running position is summed, as the source does, then rounded. */
function evenly(start: number, length: number, count: number): number[] {
  const stride = count <= 1 ? 1 : (length - 1) / (count - 1);
  const kept: number[] = [];
  let position = 0;
  for (let k = 0; k < count; k++) {
    kept.push(start + roundHalfEven(position));
    position += stride;
  }
  return kept;
}

function strided(steps: number, count: number): number[] {
  for (let stride = 1; stride < steps; stride++) {
    if (Math.ceil(steps / stride) === count) return Array.from({ length: count }, (_, k) => k * stride);
  }
  throw new OptionError(
    `respacing "ddim${count}": expected a count that an integer stride over ${steps} steps gives, got ${count}.`,
  );
}
