/** @file Which of several inversions of one class is measured. */
import type { Inversion } from "../../../invert/inverter.ts";
import { successOf } from "../../../invert/trigger.ts";

/**
 * The inversion that stands for a class: of the option sets that were run on the same source images the most successful, of
 * several source images the median by success, the lower one of two.
 * @returns with it the number of source images, or sets of them; `undefined` where nothing was found.
 */
export function representative(
  inversions: readonly Inversion[],
): { readonly inversion: Inversion; readonly sources: number } | undefined {
  const best = new Map<string, Inversion>();
  for (const inversion of inversions) {
    const key = inversion.sources.join();
    const before = best.get(key);
    if (before === undefined || successOf(inversion) > successOf(before)) best.set(key, inversion);
  }
  const ordered = [...best.values()].sort((a, b) => successOf(a) - successOf(b));
  const inversion = ordered[Math.floor((ordered.length - 1) / 2)];
  return inversion && { inversion, sources: ordered.length };
}
