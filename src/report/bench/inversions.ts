/** @file What inverters found: does the reconstruction work, does it lie where the trigger does, and is the class right. */
import { rate } from "../../metrics/count.ts";
import type { BenchDone, BenchInversion } from "../../results/bench-row.ts";
import { heatTable } from "../charts/heat-table.ts";
import { formatCount, formatDecimal, formatFigure, formatPercent, formatSeconds } from "../numbers.ts";
import { type Block, type Cell, details, figure, heading, table } from "../page/tree.ts";
import { type Bench, meanOf } from "./cells.ts";
import { classCell, countCell, type LookGroup, lookGroups, targetCell } from "./looks.ts";
import { figureCell, nameColumns, namesOf, shareCell, toRight } from "./table-cells.ts";

/** A row of an inverter. */
interface InversionRow extends BenchDone {
  readonly inversion: BenchInversion;
}

type FoundClass = BenchInversion["classes"][number];

/** Larger grids are tables only. */
const MOST_DRAWN = 30;
/** Tables of classes have no more columns. */
const MOST_CLASSES = 30;

/** The section of inverters; nothing without any. */
export function inversionBlocks(bench: Bench): readonly Block[] {
  const rows = bench.rows.filter((row): row is InversionRow => row.status === "done" && row.inversion !== null);
  if (rows.length === 0) return [];
  const groups = lookGroups(bench, rows);
  return [
    heading(2, "Reconstructed triggers"),
    summaryTable(groups),
    ...charts(bench, rows),
    table({
      caption:
        "The reconstruction of the target: measured images of other classes that are called it with the reconstruction on them, in brackets the 95 % interval; overlap with the true footprint; the class on top by the statistic of the method; the published rule of median deviations.",
      sortable: true,
      columns: [
        ...nameColumns,
        ...["Seed", "Target", "Success", "Pixels", "L1", "L2", "IoU", "Top class"].map(toRight),
        { title: "Is the target" },
        toRight("Index"),
        { title: "Flagged" },
        toRight("Time"),
      ],
      rows: rows.map((row) => {
        const { anomaly, top, topIsTarget } = row.inversion;
        const found = targetOf(row);
        return [
          ...namesOf(bench.labelsOf(row)),
          figureCell(String(row.seed), row.seed),
          classCell(row.target),
          shareCell(found?.success ?? null),
          figureCell(formatCount(found?.pixels ?? null), found?.pixels ?? null),
          ...[found?.l1 ?? null, found?.l2 ?? null].map((norm) => figureCell(formatFigure(norm), norm)),
          figureCell(formatDecimal(found?.iou ?? null), found?.iou ?? null),
          classCell(top),
          targetCell(topIsTarget),
          figureCell(formatFigure(anomaly?.index ?? null), anomaly?.index ?? null),
          anomaly === null ? "" : anomaly.flagged.join(", ") || "none",
          figureCell(formatSeconds(row.secondsOnce), row.secondsOnce),
        ];
      }),
    }),
    ...classTable(bench, rows),
  ];
}

/** What was found for the attacker's class. */
function targetOf({ target, inversion }: InversionRow): FoundClass | undefined {
  return target === null ? undefined : inversion.classes.find((one) => one.class === target);
}

/** Success of a reconstruction. */
function rateOf(found: FoundClass | undefined): number | null {
  return found === undefined || found.success === null ? null : rate(found.success);
}

function summaryTable(groups: readonly LookGroup<InversionRow>[]): Block {
  return table({
    caption:
      "Inverters over models with one target, and over models that nobody attacked. The class on top is the one that the method finds most suspicious; flagged is what lies by more than two deviations from the median.",
    sortable: true,
    columns: [
      { title: "Inverter" },
      { title: "Data" },
      ...["Mean success", "Mean IoU", "Target on top", "Target flagged", "Clean models flagged", "Mean time"].map(
        toRight,
      ),
    ],
    rows: groups.map(({ defence, data, rows, backdoored, clean }) => {
      const aimed = backdoored.filter((row) => row.inversion.topIsTarget !== null);
      const found = aimed.flatMap((row) => targetOf(row) ?? []);
      const success = meanOf(found.flatMap((one) => rateOf(one) ?? []));
      const iou = meanOf(found.flatMap((one) => one.iou ?? []));
      const seconds = meanOf(rows.map(({ secondsOnce }) => secondsOnce));
      const ruled = ({ inversion }: InversionRow): boolean => inversion.anomaly !== null;
      return [
        defence,
        data,
        figureCell(formatPercent(success), success),
        figureCell(formatDecimal(iou), iou),
        countCell(aimed, ({ inversion }) => inversion.topIsTarget === true),
        countCell(
          aimed.filter(ruled),
          ({ inversion, target }) => inversion.anomaly?.flagged.includes(target ?? -1) === true,
        ),
        countCell(clean.filter(ruled), ({ inversion }) => (inversion.anomaly?.flagged.length ?? 0) > 0),
        figureCell(formatSeconds(seconds), seconds),
      ];
    }),
  });
}

/** Success of the target's reconstruction, attacks against inverters: a chart for each data set. */
function charts(bench: Bench, rows: readonly InversionRow[]): Block[] {
  const aimed = rows.filter((row) => targetOf(row) !== undefined);
  const distinct = (values: readonly string[]): string[] => [...new Set(values)];
  return distinct(aimed.map((row) => bench.labelsOf(row).data)).flatMap((data) => {
    const own = aimed.map((row) => ({ row, labels: bench.labelsOf(row) })).filter(({ labels }) => labels.data === data);
    const attacks = distinct(own.map(({ labels }) => labels.attack));
    const defences = distinct(own.map(({ labels }) => labels.defence));
    if (attacks.length > MOST_DRAWN || defences.length > MOST_DRAWN) return [];
    const values = attacks.map((attack) =>
      defences.map((defence) =>
        meanOf(
          own
            .filter(({ labels }) => labels.attack === attack && labels.defence === defence)
            .flatMap(({ row }) => rateOf(targetOf(row)) ?? []),
        ),
      ),
    );
    return [
      figure(
        `reconstructed-${data}`,
        heatTable({
          title: `Success of the target's reconstruction, ${data}`,
          note: "Percent; measured images of other classes called the target: high is good.",
          rows: attacks,
          columns: defences,
          values,
        }),
      ),
    ];
  });
}

/** The statistic of every class. */
function classTable(bench: Bench, rows: readonly InversionRow[]): Block[] {
  const classes = [...new Set(rows.flatMap(({ inversion }) => inversion.classes.map((one) => one.class)))].sort(
    (a, b) => a - b,
  );
  if (classes.length > MOST_CLASSES) return [];
  return [
    details("Every class", [
      table({
        caption:
          "By class the statistic of the method: success on clean images that its search did not see, or the norm of the reconstruction.",
        sortable: true,
        columns: [
          ...nameColumns,
          toRight("Seed"),
          { title: "Statistic" },
          ...classes.map((k) => toRight(`Class ${k}`)),
        ],
        rows: rows.map((row) => [
          ...namesOf(bench.labelsOf(row)),
          figureCell(String(row.seed), row.seed),
          row.inversion.statistic,
          ...classes.map((k) => statisticCell(row.inversion, k)),
        ]),
      }),
    ]),
  ];
}

function statisticCell({ statistic, classes }: BenchInversion, k: number): Cell {
  const found = classes.find((one) => one.class === k);
  if (statistic === "success") {
    const share = found?.cleanSuccess ?? null;
    return figureCell(formatPercent(share), share);
  }
  const norm = found?.[statistic] ?? null;
  return figureCell(formatFigure(norm), norm);
}
