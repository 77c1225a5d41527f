/** @file Which reflection an image gets: a function of uniform numbers. */
import type { Reflection } from "./reflect.ts";

/** Between which numbers the properties of reflections lie. */
export interface ReflectionRanges {
  readonly alpha: readonly [least: number, most: number];
  readonly ghostRate: number;
  readonly offset: readonly [least: number, most: number];
  readonly sigma: readonly [least: number, most: number];
  /** Side of the square in which the bump lies. */
  readonly side: number;
}

/** Uniform numbers that one reflection takes. */
export const REFLECTION_DRAWS = 6;

/** Pixels by which the authors' window of the bump stays away from its far edges. */
const EDGE = 10;

/**
 * A reflection from uniform numbers in [0, 1).
 * @param draws {@link REFLECTION_DRAWS} of them. @param size the working size of the image.
 * @source the authors' code of Liu et al. 2020, "Reflection Backdoor", and BackdoorBench's.
 */
export function drawReflection(
  draws: readonly number[],
  { alpha, ghostRate, offset, sigma, side }: ReflectionRanges,
  [height, width]: readonly [height: number, width: number],
): Reflection & { readonly alpha: number } {
  const [light = 0, branch = 0, first = 0, second = 0, third = 0, fourth = 0] = draws;
  const between = ([least, most]: readonly [number, number], draw: number): number => least + (most - least) * draw;
  const whole = ([least, most]: readonly [number, number], draw: number): number =>
    least + Math.floor((most - least + 1) * draw);
  const own = { alpha: between(alpha, light) };
  if (branch < ghostRate) {
    const share = Math.abs(Math.round(third) - between([0.15, 0.5], fourth));
    return { ...own, branch: "ghost", down: whole(offset, first), right: whole(offset, second), share };
  }
  const start = (length: number, draw: number): number => Math.floor(Math.max(side - length - EDGE, 0) * draw);
  return {
    ...own,
    branch: "blur",
    sigma: between(sigma, first),
    attenuation: between([1.08, 1.18], second),
    top: start(height, third),
    left: start(width, fourth),
    side,
  };
}

/** Height and width whose longer one is `side`, in proportion. */
export function workingSize(
  [height, width]: readonly [height: number, width: number],
  side: number,
): [height: number, width: number] {
  const scale = side / Math.max(height, width);
  return [Math.max(1, Math.round(height * scale)), Math.max(1, Math.round(width * scale))];
}
