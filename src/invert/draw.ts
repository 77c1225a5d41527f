/** @file Which images a step looks at. */
import { uniformFromNoise } from "../core/noise.ts";
import type { NoiseSource } from "../core/run-context.ts";

/**
 * Some of the rows in random order, each at most once: a function of the first row's noise and the step.
 * @param count how many; all of them where there are fewer.
 */
export function drawRows(
  rows: readonly number[],
  count: number,
  { noise, step }: { readonly noise: NoiseSource; readonly step: number },
): number[] {
  const keys = uniformFromNoise(noise, rows[0] ?? 0, "invert/draw", step, rows.length);
  const order = [...rows.keys()].sort((a, b) => (keys[a] ?? 0) - (keys[b] ?? 0));
  return order.slice(0, count).map((i) => rows[i] ?? 0);
}
