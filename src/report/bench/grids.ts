/** @file Attacks against defences: coloured grids, the same figures with their intervals, and a chart for each attack. */
import { rate } from "../../metrics/count.ts";
import { heatTable } from "../charts/heat-table.ts";
import { type IntervalValue, intervalChart } from "../charts/interval-chart.ts";
import { formatCount, formatShare, NOT_MEASURED } from "../numbers.ts";
import { type Block, badge, type Cell, details, figure, heading, paragraph, table } from "../page/tree.ts";
import { type Bench, type BenchCell, type BenchGrid, type CountName, cellShare } from "./cells.ts";

/** Larger grids are tables only: a chart of them would be no picture any more. */
const MOST_ROWS = 60;
const MOST_COLUMNS = 30;
/** Charts of single attacks on one data set. */
const MOST_CHARTS = 40;

const figures: readonly (readonly [name: CountName, short: string, long: string, reading: string])[] = [
  ["attackSuccess", "ASR", "Attack success", "triggered images of other classes called the target: low is good"],
  [
    "poisonedAccuracy",
    "PA",
    "Poisoned accuracy",
    "triggered images of other classes called by their label: high is good",
  ],
  ["cleanAccuracy", "CA", "Clean accuracy", "clean images called by their label: high is good"],
];

/** The grids of every data set. */
export function gridBlocks(bench: Bench): readonly Block[] {
  return bench.grids.flatMap((grid) => [
    heading(2, `Attacks against defences: ${grid.data}`),
    ...figures.flatMap((of) => figureBlocks(grid, of)),
    ...attackCharts(grid),
  ]);
}

function figureBlocks(grid: BenchGrid, [name, short, long, reading]: (typeof figures)[number]): Block[] {
  const { data, attacks, defences } = grid;
  const isDrawn = attacks.length <= MOST_ROWS && defences.length <= MOST_COLUMNS;
  const chart = heatTable({
    title: `${long}, ${data}`,
    note: `Percent; ${reading}.`,
    rows: isDrawn ? attacks : [],
    columns: isDrawn ? defences : [],
    values: isDrawn
      ? attacks.map((attack) => defences.map((defence) => shareOf(grid.cell(attack, defence), name)))
      : [],
  });
  const numbers = table({
    caption: `${short}: ${reading}. In brackets 95 % intervals; over several seeds the mean, with the interval of one seed's images.`,
    sortable: true,
    columns: [{ title: "Attack" }, ...defences.map((title) => ({ title, align: "right" as const }))],
    rows: attacks.map((attack) => [attack, ...defences.map((defence) => gridCell(grid.cell(attack, defence), name))]),
  });
  return [
    heading(3, long),
    isDrawn
      ? figure(`${short}-${data}`, chart)
      : paragraph(
          `A grid of ${formatCount(attacks.length)} attacks and ${formatCount(defences.length)} defences is too large for a chart.`,
        ),
    isDrawn ? details(`${short} with intervals`, [numbers]) : numbers,
  ];
}

function gridCell(cell: BenchCell | undefined, name: CountName): Cell {
  const share = cellShare(cell, name);
  if (share !== null) return { content: formatShare(share), sort: rate(share), heat: rate(share) };
  const failed = (cell?.failed.length ?? 0) > 0;
  return { content: failed ? badge("bad", "failed") : NOT_MEASURED, sort: null };
}

function shareOf(cell: BenchCell | undefined, name: CountName): number | null {
  const share = cellShare(cell, name);
  return share === null ? null : rate(share);
}

function attackCharts(grid: BenchGrid): Block[] {
  const { data, attacks, defences } = grid;
  const drawn = attacks.slice(0, MOST_CHARTS);
  const charts = drawn.map((attack) =>
    figure(
      `attack-${data}-${attack}`,
      intervalChart({
        title: `${attack}, ${data}`,
        axis: { label: "share of images", kind: "share" },
        series: ["clean accuracy", "poisoned accuracy", "attack success"],
        groups: [
          {
            rows: defences.slice(0, MOST_ROWS).map((defence) => ({
              label: defence,
              values: (["cleanAccuracy", "poisonedAccuracy", "attackSuccess"] as const).map((name) =>
                intervalValue(grid.cell(attack, defence), name),
              ),
            })),
          },
        ],
      }),
    ),
  );
  const left = attacks.length - drawn.length;
  return [
    heading(3, "Each attack"),
    details(`${formatCount(charts.length)} charts: what each defence keeps, with 95 % intervals`, charts),
    ...(left > 0 ? [paragraph(`${formatCount(left)} further attacks have no chart of their own.`)] : []),
    ...(defences.length > MOST_ROWS
      ? [paragraph(`Each chart shows the first ${formatCount(MOST_ROWS)} defences.`)]
      : []),
  ];
}

function intervalValue(cell: BenchCell | undefined, name: CountName): IntervalValue | null {
  const share = cellShare(cell, name);
  return share === null ? null : { value: rate(share), low: share.low, high: share.high, text: formatShare(share) };
}
