/** @file What a reader of a scan must know beside its verdict, in sentences. */
import type { ScanClass } from "../../results/scan-record.ts";
import type { Probe } from "./probe.ts";
import type { References } from "./references.ts";

/** The sentences of a scan. */
export function notesOf({
  labelled,
  references,
  judged,
  list,
  own,
  complete,
}: {
  readonly labelled: boolean;
  readonly references: References | undefined;
  readonly judged: { readonly verdict: string; readonly targets: readonly number[] };
  readonly list: readonly ScanClass[];
  readonly own: Probe;
  readonly complete: boolean;
}): string[] {
  const notes: string[] = [];
  if (!labelled) notes.push("The images have no labels: what the model calls them was taken for what they show.");
  if (references === undefined) {
    const single = own.labels.length === 1;
    notes.push(
      single
        ? "One image cannot calibrate a verdict: some classes are easy to reach in every model. Give more images with labels, or references that were made ahead: --references FOLDER."
        : "There were too few images to train references on: without them no verdict is possible, since some classes are easy to reach in every model. Give 200 or more images with labels, or --references FOLDER.",
    );
  } else if (!references.complete) {
    notes.push(
      "Not all references were made in the time that there was; a later scan of the same images goes on from here.",
    );
  }
  if (!complete) notes.push("Time was over before every class had been looked at to the end.");
  for (const k of judged.targets) {
    const one = list.find((each) => each.class === k);
    if (one === undefined) continue;
    if ((one.driftScore ?? 0) > Math.max(one.triggerScore ?? 0, one.warpScore ?? 0)) {
      notes.push(`Class ${k} stands out by disturbed images that fall into it, not by a trigger that was found.`);
    }
    if (one.attackSuccessRate !== null && one.attackSuccessRate < 0.5) {
      notes.push(
        `No trigger that works on most images was reconstructed for class ${k}: the class named may be another one's neighbour.`,
      );
    }
  }
  return notes;
}
