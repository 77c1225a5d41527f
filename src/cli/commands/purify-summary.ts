/** @file What `purify` tells: one JSON document for machines, a few lines and pictures for people. */
import type { PurifyRow, PurifySummary } from "../../results/purify-row.ts";
import type { Console } from "../console.ts";
import { detectGraphics, previewText } from "../preview.ts";
import { formatSeconds } from "../progress.ts";
import { formatTable } from "../table.ts";
import type { PurifyResults } from "./purify-results.ts";

/** Everything that is known at the end of a run. */
interface Outcome {
  readonly summary: PurifySummary;
  readonly seconds: number;
  readonly results: PurifyResults;
  readonly flags: { readonly json?: boolean; readonly quiet?: boolean; readonly preview: boolean };
}

/** Prints the outcome on stdout. */
export async function showSummary(console: Console, outcome: Outcome): Promise<void> {
  const { summary, seconds, results, flags } = outcome;
  if (flags.json === true) {
    const document = { ...summary, output: results.folder, seconds, images: results.rows };
    console.out(`${JSON.stringify(document, undefined, 2)}\n`);
    return;
  }
  if (flags.quiet === true) return;
  const graphics = flags.preview ? detectGraphics(console) : undefined;
  if (graphics !== undefined) {
    for (const sheet of results.sheets) console.out(await previewText(sheet, graphics, console.stdout.columns));
  }
  console.out(formatTable([["name", "before", "after", "suspicion", ""], ...results.rows.map(rowCells)]));
  if (summary.count > results.rows.length) console.out(`… and ${summary.count - results.rows.length} more\n`);
  console.out(`\n${sentences(summary, seconds).join("\n")}\n${results.folder}\n`);
}

function rowCells({ name, label, labelName, labelBefore, suspicion, flagged }: PurifyRow): string[] {
  const verdict = flagged === true ? "flagged" : "";
  const after = label === null ? "-" : `${label}${labelName === null ? "" : ` ${labelName}`}`;
  return [name, labelBefore === null ? "-" : String(labelBefore), after, suspicion.toFixed(4), verdict];
}

function sentences(summary: PurifySummary, seconds: number): string[] {
  const { count, method, preset, changed, flagged, threshold, falsePositiveRate } = summary;
  const pictures = `${count} ${count === 1 ? "picture" : "pictures"}`;
  const lines = [`${pictures} purified by ${method} (${preset}) in ${formatSeconds(seconds)}.`];
  if (changed !== null) lines.push(`${changed} changed their label.`);
  if (flagged !== null && threshold !== null && falsePositiveRate !== null) {
    const rate = `${(100 * falsePositiveRate).toFixed(1)} % of clean pictures`;
    lines.push(`${flagged} flagged: suspicion above ${threshold.toFixed(4)}, where at most ${rate} lie.`);
  } else lines.push("No threshold for these settings, so none is flagged; --calibrate FOLDER sets one.");
  if (summary.suspicion === "weak") lines.push("Suspicion is weak: without --classifier it looks at pixels alone.");
  return lines;
}
