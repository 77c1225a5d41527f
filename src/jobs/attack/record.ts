/** @file The record of an attacked training, from what was asked for and what was counted. */
import { sha256Hex } from "../../core/hash.ts";
import type { Count } from "../../metrics/count.ts";
import type { BackdoorCounts } from "./measure.ts";

/** A share, or `null` where nothing was counted. */
export function shareOf(count: Count | undefined): number | null {
  return count === undefined || count.total === 0 ? null : count.hits / count.total;
}

/** The shares and counts of a measurement as the record holds them. */
export function measured(
  counts: BackdoorCounts,
): Record<
  | "cleanAccuracy"
  | "poisonedAccuracy"
  | "attackSuccessRate"
  | "poisonedAccuracyAllClasses"
  | "attackSuccessRateAllClasses"
  | "floor"
  | "noiseAccuracy"
  | "crossAccuracy",
  number | null
> & { readonly counts: Record<string, Count> } {
  const { control, ...all } = counts;
  const of = (name: "noise" | "cross"): Count | undefined => (control?.name === name ? control.accuracy : undefined);
  return {
    cleanAccuracy: shareOf(all.cleanAccuracy),
    poisonedAccuracy: shareOf(all.poisonedAccuracy),
    attackSuccessRate: shareOf(all.attackSuccess),
    poisonedAccuracyAllClasses: shareOf(all.poisonedAccuracyAllClasses),
    attackSuccessRateAllClasses: shareOf(all.attackSuccessAllClasses),
    floor: shareOf(all.floor),
    noiseAccuracy: shareOf(of("noise")),
    crossAccuracy: shareOf(of("cross")),
    counts: { ...all, ...(control === undefined ? {} : { control: control.accuracy }) },
  };
}

/** One hash of several files: of their names and contents, in the order of their names. */
export function hashFiles(files: Readonly<Record<string, Uint8Array>>): string {
  const text = Object.entries(files)
    .map(([name, bytes]) => `${name} ${sha256Hex(bytes)}\n`)
    .sort()
    .join("");
  return sha256Hex(new TextEncoder().encode(text));
}
