/** @file Where a blurred reflection is seen: brightest in the middle of a square, fading to its edges. */
import { normalCdf } from "../../../metrics/normal.ts";

/**
 * A square of weights with peak 1: the square root of the product, over both axes, of the mass that a normal distribution
 * has in each of `side` equal intervals from a little below -`deviations` to a little above.
 * @returns [side, side]. @source the authors' code of Liu et al. 2020, "Reflection Backdoor", and BackdoorBench's.
 */
export function bump(side: number, deviations = 3): Float64Array {
  const step = (2 * deviations + 1) / side;
  const [from, to] = [-deviations - step / 2, deviations + step / 2];
  const edge = (i: number): number => normalCdf(from + ((to - from) * i) / side);
  const mass = Float64Array.from({ length: side }, (_, i) => edge(i + 1) - edge(i));
  const peak = mass.reduce((most, value) => Math.max(most, value), 0);
  return Float64Array.from({ length: side * side }, (_, i) =>
    Math.sqrt(((mass[Math.floor(i / side)] ?? 0) / peak) * ((mass[i % side] ?? 0) / peak)),
  );
}
