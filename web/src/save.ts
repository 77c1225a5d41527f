/** @file What the person takes away: pictures in one archive, and every number as JSON. */
import { zip } from "fflate";
import type { Item, State } from "./state.ts";

/** Hands a file to the browser's downloads. */
export function saveFile(name: string, file: Blob): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  // The download has its own hold on the file once it has begun.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** The purified pictures as `NAME.png`, stored: PNGs do not get smaller. */
export async function zipOf(items: readonly Item[]): Promise<Blob> {
  const files: Record<string, Uint8Array> = {};
  for (const { name, purified } of items) {
    if (purified !== undefined) files[`${name}.png`] = new Uint8Array(await purified.output.arrayBuffer());
  }
  const bytes = await new Promise<Uint8Array>((resolve, reject) => {
    zip(files, { level: 0 }, (error, data) => (error === null ? resolve(data) : reject(error)));
  });
  return new Blob([new Uint8Array(bytes)], { type: "application/zip" });
}

/** The document that {@link resultsJson} writes. */
export const RESULTS_SCHEMA = "untrigger/page@1";

/** One document a run, as `untrigger purify --json` prints it; of a run that was stopped, what was done. */
export function resultsJson({ items, runs }: Pick<State, "items" | "runs">): Blob {
  const documents = runs.flatMap((run, i) => {
    const images = items.flatMap((item) => (item.run === i && item.purified !== undefined ? [item.purified.row] : []));
    return images.length === 0 ? [] : [{ ...run.summary, request: run.request, seconds: run.seconds, images }];
  });
  const text = JSON.stringify({ schema: RESULTS_SCHEMA, runs: documents }, undefined, 2);
  return new Blob([text], { type: "application/json" });
}
