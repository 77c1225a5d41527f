/** @file Rows of a bench as a page, and as one flat table for other programs. */
import type { BenchRow } from "../results/bench-row.ts";
import { type Bench, benchOf } from "./bench/cells.ts";
import { gridBlocks } from "./bench/grids.ts";
import { inversionBlocks } from "./bench/inversions.ts";
import { provenanceBlocks, runsOf } from "./bench/runs.ts";
import { scanBlocks } from "./bench/scans.ts";
import { summarise, summaryBlocks } from "./bench/summary.ts";
import {
  detectionBlocks,
  failureBlocks,
  furtherBlocks,
  publishedBlocks,
  rowBlocks,
  seedBlocks,
} from "./bench/tables.ts";
import { tradeOffBlocks } from "./bench/trade-offs.ts";
import { formatCount, formatSeconds } from "./numbers.ts";
import { type Block, heading, list, type Page, type PagePicture, paragraph, pictures, table } from "./page/tree.ts";

/** What a bench page is told besides its rows. */
export interface BenchPageOptions {
  /** `Bench` when left out. */
  readonly title?: string | undefined;
  /** What was repaired or left out when the rows were read. */
  readonly notes?: readonly string[] | undefined;
  /** The picture of a row's sheet; sheets without one are not shown. */
  readonly sheet?: ((path: string, row: BenchRow) => PagePicture | undefined) | undefined;
  /** What a sheet shows, from left to right. */
  readonly sheetCaption?: string | undefined;
}

/** Pictures on one page: the browser holds them all. */
const MOST_SHEETS = 200;

/**
 * The page of a bench: the answer, grids with intervals, trade-offs, reconstructed triggers, scans, detection, pictures, seeds, every row, failures and
 * provenance. Nothing on it is typed: it all comes from the rows.
 */
export function benchPage(rows: readonly BenchRow[], options: BenchPageOptions = {}): Page {
  const { title = "Bench", notes = [] } = options;
  const bench = benchOf(rows);
  const runs = runsOf(bench);
  const summaries = summarise(bench);
  const empty = bench.rows.length === 0;
  const answered = bench.cells.length > 0;
  return {
    title,
    lead: leadOf(bench),
    blocks: [
      ...(notes.length === 0 ? [] : [list(notes)]),
      ...(empty ? [paragraph("There are no rows yet.")] : []),
      ...(answered ? [...summaryBlocks(bench, summaries), ...tradeOffBlocks(bench, summaries)] : []),
      ...gridBlocks(bench),
      ...inversionBlocks(bench),
      ...scanBlocks(bench),
      ...detectionBlocks(bench),
      ...sheetBlocks(bench, options),
      ...publishedBlocks(bench),
      ...furtherBlocks(bench),
      ...(answered ? [heading(2, "Seeds"), ...seedBlocks(bench), ...rowBlocks(bench, runs)] : []),
      ...failureBlocks(bench),
      ...(empty ? [] : [heading(2, "Glossary"), glossary(bench), ...provenanceBlocks(bench, runs)]),
    ],
    footer: "Rendered by untrigger from result rows; do not edit.",
  };
}

function leadOf({ rows, labelsOf }: Bench): string {
  const failed = rows.filter(({ status }) => status === "failed").length;
  const different = (part: keyof ReturnType<Bench["labelsOf"]>): number =>
    new Set(rows.map((row) => labelsOf(row)[part])).size;
  const seconds = rows.reduce((sum, row) => sum + row.seconds, 0);
  const parts = [
    counted(different("attack"), "attack"),
    counted(different("defence"), "defence"),
    counted(different("data"), "data set"),
    counted(new Set(rows.map(({ seed }) => seed)).size, "seed"),
  ];
  return `${parts.join(", ")}: ${counted(rows.length - failed, "row")} computed, ${formatCount(failed)} failed, ${formatSeconds(seconds)} in all.`;
}

function counted(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? "" : "s"}`;
}

function sheetBlocks(bench: Bench, { sheet, sheetCaption = "" }: BenchPageOptions): Block[] {
  if (sheet === undefined) return [];
  const found = bench.rows.flatMap((row) => {
    const picture = row.status === "done" && row.sheet !== null ? sheet(row.sheet, row) : undefined;
    const { attack, defence, data } = bench.labelsOf(row);
    return picture === undefined
      ? []
      : [{ label: `${attack}, ${defence}, ${data}, seed ${row.seed}`, pictures: [picture] }];
  });
  if (found.length === 0) return [];
  const shown = found.slice(0, MOST_SHEETS);
  return [
    heading(2, "Pictures"),
    pictures({ caption: sheetCaption, columns: ["Sheet"], rows: shown }),
    ...(shown.length === found.length
      ? []
      : [paragraph(`${formatCount(found.length - shown.length)} further sheets lie beside this page.`)]),
  ];
}

/** Said where there are inverters. */
const RECONSTRUCTION = [
  [
    "Success",
    "of a reconstruction: measured images of other classes called the target with the reconstructed trigger on them",
  ],
  ["IoU", "overlap of the true trigger's pixels with as many of those on which the reconstruction acts most"],
];

function glossary(bench: Bench): Block {
  return table({
    caption: "What the figures mean",
    columns: [{ title: "Figure" }, { title: "Meaning" }],
    rows: [
      ["CA", "clean accuracy: clean images called by their label"],
      ["PA", "poisoned accuracy: triggered images of other classes than the target called by their label"],
      ["ASR", "attack success rate: triggered images of other classes called the target"],
      [
        "all classes",
        "the same with images of the target class, as other benches count: no ASR can then fall below their share",
      ],
      ["Floor", "clean images of other classes called the target all the same: no ASR can be expected below it"],
      ...(bench.rows.some((row) => row.status === "done" && row.inversion !== null) ? RECONSTRUCTION : []),
      ["Calls", "images that the diffusion prior's network sees for each image"],
      ["Interval", "95 %, Wilson's, for the images of one seed"],
    ],
  });
}
