/** @file The rows themselves: all of them, and what only some of them have. */
import { rate } from "../../metrics/count.ts";
import type { BenchDone } from "../../results/bench-row.ts";
import { formatCalls, formatCount, formatDecimal, formatFigure, formatPercent, formatSeconds } from "../numbers.ts";
import { type Block, type Cell, code, heading, link, paragraph, table } from "../page/tree.ts";
import { answersImages, type Bench, type BenchCell, type CountName, cellShare } from "./cells.ts";
import { RUNS, type Runs } from "./runs.ts";
import { figureCell, nameColumns, namesOf, shareCell, toRight } from "./table-cells.ts";

/** Every row of images that were answered. */
export function rowBlocks(bench: Bench, runs: Runs): readonly Block[] {
  const done = bench.rows.filter((row) => row.status === "done").filter(answersImages);
  return [
    heading(2, "All rows"),
    table({
      caption:
        "One row an attack, defence, data set and seed. In brackets 95 % intervals. PA and ASR leave images of the target class out, unless all classes are named; top-5 counts a label among the best five scores.",
      sortable: true,
      columns: [
        ...nameColumns,
        ...["Seed", "Images", "CA", "PA", "ASR", "PA, all classes", "ASR, all classes", "Floor"].map(toRight),
        ...["CA, top-5", "PA, top-5", "ASR, top-5", "Time an image", "Calls", "Classifier calls", "Run"].map(toRight),
      ],
      rows: done.map((row) => [
        ...namesOf(bench.labelsOf(row)),
        figureCell(String(row.seed), row.seed),
        figureCell(formatCount(row.images), row.images),
        ...ordered.map((name) => shareCell(row.counts[name])),
        ...ordered.slice(0, 3).map((name) => shareCell(row.countsTop5?.[name] ?? null)),
        figureCell(formatSeconds(row.secondsPerImage), row.secondsPerImage),
        figureCell(formatCalls(row.networkCallsPerImage), row.networkCallsPerImage),
        figureCell(formatCalls(row.classifierCallsPerImage), row.classifierCallsPerImage),
        { content: link(`run ${runs.get(row) ?? 0}`, `#${RUNS.toLowerCase()}`), sort: runs.get(row) ?? 0 },
      ]),
    }),
  ];
}

const ordered = [
  "cleanAccuracy",
  "poisonedAccuracy",
  "attackSuccess",
  "poisonedAccuracyAllClasses",
  "attackSuccessAllClasses",
  "floor",
] as const satisfies readonly CountName[];

/** Rows that could not be computed, with the reason. */
export function failureBlocks(bench: Bench): readonly Block[] {
  const failed = bench.rows.filter((row) => row.status === "failed");
  if (failed.length === 0) return [];
  return [
    heading(2, "Failed"),
    table({
      caption: "Rows that could not be computed. They count nowhere.",
      sortable: true,
      columns: [...nameColumns, toRight("Seed"), { title: "Error" }],
      rows: failed.map((row) => [
        ...namesOf(bench.labelsOf(row)),
        figureCell(String(row.seed), row.seed),
        [code(row.error.code), ` ${row.error.message}`],
      ]),
    }),
  ];
}

/** How well suspicion tells triggered from clean images, where the defence has any. */
export function detectionBlocks(bench: Bench): readonly Block[] {
  const rows = bench.rows.flatMap((row) =>
    row.status === "done" && row.detection !== null ? [{ row, detection: row.detection }] : [],
  );
  if (rows.length === 0) return [];
  return [
    heading(2, "Detection"),
    table({
      caption:
        "AUROC of suspicion between clean and triggered images; images above the threshold; the rate of clean images that the threshold promises at most.",
      sortable: true,
      columns: [...nameColumns, ...["Seed", "AUROC", "Flagged clean", "Flagged triggered", "Promised"].map(toRight)],
      rows: rows.map(({ row, detection }) => [
        ...namesOf(bench.labelsOf(row)),
        figureCell(String(row.seed), row.seed),
        figureCell(formatDecimal(detection.auroc), detection.auroc),
        shareCell(detection.falsePositives),
        shareCell(detection.truePositives),
        figureCell(formatPercent(detection.falsePositiveRate), detection.falsePositiveRate),
      ]),
    }),
  ];
}

/** How much seeds matter: cells with several of them. */
export function seedBlocks(bench: Bench): readonly Block[] {
  const cells = bench.cells.filter(({ done }) => done.length > 1);
  if (cells.length === 0) return [paragraph("No cell was computed with more than one seed.")];
  const shown = ["cleanAccuracy", "poisonedAccuracy", "attackSuccess"] as const;
  return [
    table({
      caption: "Mean over seeds, and the lowest and highest of them.",
      sortable: true,
      columns: [...nameColumns, ...["Seeds", "CA", "PA", "ASR"].map(toRight)],
      rows: cells.map((cell) => [
        ...namesOf(cell),
        figureCell(formatCount(cell.done.length), cell.done.length),
        ...shown.map((name) => spread(cell, name)),
      ]),
    }),
  ];
}

function spread(cell: BenchCell, name: CountName): Cell {
  const mean = cellShare(cell, name);
  if (mean === null) return shareCell(null);
  const rates = cell.done.flatMap(({ counts }) => (counts[name] === null ? [] : rate(counts[name])));
  const range = `${formatPercent(Math.min(...rates))} to ${formatPercent(Math.max(...rates))}`;
  return figureCell(`${formatPercent(rate(mean))}, ${range}`, rate(mean));
}

/** What publications report beside what was measured. */
export function publishedBlocks(bench: Bench): readonly Block[] {
  const rows = bench.rows.flatMap((row) =>
    row.status === "done" && row.published !== null ? [{ row, published: row.published }] : [],
  );
  if (rows.length === 0) return [];
  const shown = [
    ["CA", "cleanAccuracy"],
    ["PA", "poisonedAccuracy"],
    ["ASR", "attackSuccess"],
  ] as const;
  return [
    heading(2, "Beside publications"),
    table({
      caption: "Measured here, and what the publication reports, on its own models and images.",
      sortable: true,
      columns: [
        ...nameColumns,
        ...shown.flatMap(([short]) => [toRight(short), toRight(`${short}, published`)]),
        { title: "Source" },
      ],
      rows: rows.map(({ row, published }) => [
        ...namesOf(bench.labelsOf(row)),
        ...shown.flatMap(([, name]) => [
          shareCell(row.counts[name]),
          figureCell(formatPercent(published[name]), published[name]),
        ]),
        published.source,
      ]),
    }),
  ];
}

/** Figures that only some methods give, by name. */
export function furtherBlocks(bench: Bench): readonly Block[] {
  const rows = bench.rows.filter(
    (row): row is BenchDone => row.status === "done" && Object.keys(row.further).length > 0,
  );
  if (rows.length === 0) return [];
  const figures = [...new Set(rows.flatMap(({ further }) => Object.keys(further)))];
  return [
    heading(2, "Further figures"),
    table({
      caption: "Figures that only some methods give.",
      sortable: true,
      columns: [...nameColumns, toRight("Seed"), ...figures.map(toRight)],
      rows: rows.map((row) => [
        ...namesOf(bench.labelsOf(row)),
        figureCell(String(row.seed), row.seed),
        ...figures.map((name) => figureCell(formatFigure(row.further[name] ?? null), row.further[name] ?? null)),
      ]),
    }),
  ];
}
