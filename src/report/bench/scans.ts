/** @file What scans said about models: how often they were right, and about which class. */
import { auroc } from "../../metrics/detection.ts";
import type { BenchDone, BenchScan } from "../../results/bench-row.ts";
import { formatDecimal, formatFigure, formatPValue, formatSeconds } from "../numbers.ts";
import { type Block, badge, type Cell, details, heading, type Tone, table } from "../page/tree.ts";
import { type Bench, meanOf } from "./cells.ts";
import { classCell, countCell, type LookGroup, lookGroups, targetCell } from "./looks.ts";
import { figureCell, nameColumns, namesOf, toRight } from "./table-cells.ts";

/** A row of a scan. */
interface ScanRow extends BenchDone {
  readonly scan: BenchScan;
}

/** Tables of classes have no more columns. */
const MOST_CLASSES = 30;

/** The section of scans; nothing without any. */
export function scanBlocks(bench: Bench): readonly Block[] {
  const rows = bench.rows.filter((row): row is ScanRow => row.status === "done" && row.scan !== null);
  if (rows.length === 0) return [];
  return [
    heading(2, "Scans"),
    summaryTable(lookGroups(bench, rows)),
    table({
      caption: "What each scan said: verdict and p-value of the model, and the class with the highest score.",
      sortable: true,
      columns: [
        ...nameColumns,
        ...["Seed", "Target"].map(toRight),
        { title: "Verdict" },
        ...["p", "Highest score", "Top class"].map(toRight),
        { title: "Is the target" },
        toRight("Time"),
      ],
      rows: rows.map((row) => {
        const { pValue, top, topIsTarget } = row.scan;
        const highest = highestOf(row);
        return [
          ...namesOf(bench.labelsOf(row)),
          figureCell(String(row.seed), row.seed),
          classCell(row.target),
          verdictCell(row),
          figureCell(formatPValue(pValue), pValue),
          figureCell(formatFigure(highest), highest),
          classCell(top),
          targetCell(topIsTarget),
          figureCell(formatSeconds(row.secondsOnce), row.secondsOnce),
        ];
      }),
    }),
    details("Reasons", [
      table({
        caption: "Why each verdict is what it is.",
        columns: [...nameColumns, toRight("Seed"), { title: "Reason" }],
        rows: rows.map((row) => [...namesOf(bench.labelsOf(row)), String(row.seed), row.scan.reason]),
      }),
    ]),
    ...classTable(bench, rows),
  ];
}

function summaryTable(groups: readonly LookGroup<ScanRow>[]): Block {
  return table({
    caption:
      "Scans over backdoored models and over those that nobody attacked, with 95 % intervals. AUROC tells how well the highest score of a model tells the two apart.",
    sortable: true,
    columns: [
      { title: "Scan" },
      { title: "Data" },
      ...["Backdoored found", "Target accused", "Target on top", "Undecided", "Clean accused", "Clean undecided"].map(
        toRight,
      ),
      ...["AUROC", "Mean time"].map(toRight),
    ],
    rows: groups.map(({ defence, data, rows, backdoored, clean }) => {
      const says = (word: BenchScan["verdict"]) => (row: ScanRow) => row.scan.verdict === word;
      const aimed = backdoored.filter(({ scan }) => scan.topIsTarget !== null);
      const told = [...backdoored, ...clean].flatMap((row) => {
        const score = highestOf(row);
        return score === null ? [] : [{ score, isBackdoored: row.attack.name !== "none" }];
      });
      const apart = auroc(
        told.map(({ score }) => score),
        told.map(({ isBackdoored }) => isBackdoored),
      );
      const seconds = meanOf(rows.map(({ secondsOnce }) => secondsOnce));
      return [
        defence,
        data,
        countCell(backdoored, says("backdoored")),
        countCell(aimed, ({ scan, target }) => scan.targets.includes(target ?? -1)),
        countCell(aimed, ({ scan }) => scan.topIsTarget === true),
        countCell(backdoored, says("undecided")),
        countCell(clean, says("backdoored")),
        countCell(clean, says("undecided")),
        figureCell(formatDecimal(apart), Number.isNaN(apart) ? null : apart),
        figureCell(formatSeconds(seconds), seconds),
      ];
    }),
  });
}

/** The verdict, good where it is the truth. */
function verdictCell({ attack, scan: { verdict } }: ScanRow): Cell {
  const truth = attack.name === "none" ? "clean" : "backdoored";
  const tone: Tone = verdict === "undecided" ? "unsure" : verdict === truth ? "good" : "bad";
  return { content: badge(tone, verdict), sort: verdict };
}

/** The score of the most suspicious class. */
function highestOf({ scan }: ScanRow): number | null {
  const scores = scan.classes.flatMap(({ score }) => score ?? []);
  return scores.length === 0 ? null : Math.max(...scores);
}

function classTable(bench: Bench, rows: readonly ScanRow[]): Block[] {
  const classes = [...new Set(rows.flatMap(({ scan }) => scan.classes.map((one) => one.class)))].sort((a, b) => a - b);
  if (classes.length > MOST_CLASSES) return [];
  return [
    details("Scores of every class", [
      table({
        caption: "By class how far it stands out among the references, in their deviations.",
        sortable: true,
        columns: [...nameColumns, toRight("Seed"), ...classes.map((k) => toRight(`Class ${k}`))],
        rows: rows.map((row) => [
          ...namesOf(bench.labelsOf(row)),
          figureCell(String(row.seed), row.seed),
          ...classes.map((k) => {
            const score = row.scan.classes.find((one) => one.class === k)?.score ?? null;
            return figureCell(formatFigure(score), score);
          }),
        ]),
      }),
    ]),
  ];
}
