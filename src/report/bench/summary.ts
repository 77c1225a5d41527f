/** @file What a bench says at a glance: defences by what they keep, attacks by what they reach, and what stands out. */
import { rate } from "../../metrics/count.ts";
import { formatCalls, formatCount, formatPercent, formatSeconds, formatShare } from "../numbers.ts";
import { type Block, heading, paragraph, table, verdict } from "../page/tree.ts";
import { type Bench, type BenchCell, type BenchGrid, type CountName, cellMean, cellShare, meanOf } from "./cells.ts";

/** An attack gets through a defence when its success is above this share for sure: the whole interval. */
export const GETS_THROUGH = 0.1;
/** An attack that reaches less than this without a defence says nothing about defences. */
const WORKS = 0.5;

/** What a defence did over some attacks on a data set. */
export interface DefenceSummary {
  readonly data: string;
  readonly defence: string;
  /** Of the attacks asked for, those that it was measured against. */
  readonly measured: readonly string[];
  /** Means over attacks, each attack counting the same; `null` without any. */
  readonly cleanAccuracy: number | null;
  readonly poisonedAccuracy: number | null;
  readonly attackSuccess: number | null;
  readonly getsThrough: readonly string[];
  readonly calls: number | null;
  readonly seconds: number | null;
}

/** Summaries of every defence on every data set, over all its attacks. */
export function summarise(bench: Bench): readonly DefenceSummary[] {
  return bench.grids.flatMap((grid) => grid.defences.map((defence) => summaryOf(grid, defence, grid.attacks)));
}

function summaryOf(grid: BenchGrid, defence: string, attacks: readonly string[]): DefenceSummary {
  const cells = attacks.flatMap((attack) => grid.cell(attack, defence) ?? []).filter(({ done }) => done.length > 0);
  const mean = (name: CountName): number | null => meanOf(cells.flatMap((cell) => rateOf(cell, name) ?? []));
  const over = (figure: Parameters<typeof cellMean>[1]): number | null =>
    meanOf(cells.flatMap((cell) => cellMean(cell, figure) ?? []));
  return {
    data: grid.data,
    defence,
    measured: cells.map(({ attack }) => attack),
    cleanAccuracy: mean("cleanAccuracy"),
    poisonedAccuracy: mean("poisonedAccuracy"),
    attackSuccess: mean("attackSuccess"),
    getsThrough: cells.filter(getsThrough).map(({ attack }) => attack),
    calls: over(({ networkCallsPerImage }) => networkCallsPerImage),
    seconds: over(({ secondsPerImage }) => secondsPerImage),
  };
}

/** Whether the whole interval of a cell's attack success lies above {@link GETS_THROUGH}. */
function getsThrough(cell: BenchCell): boolean {
  return (cellShare(cell, "attackSuccess")?.low ?? 0) > GETS_THROUGH;
}

function rateOf(cell: BenchCell, name: CountName): number | null {
  const share = cellShare(cell, name);
  return share === null ? null : rate(share);
}

/** The page's first blocks: the answer, tables of defences, tables of attacks. */
export function summaryBlocks(bench: Bench, summaries: readonly DefenceSummary[]): readonly Block[] {
  return [
    ...bench.grids.map((grid) => bestOf(bench, grid, summaries)),
    heading(2, "Defences"),
    ...bench.grids.map((grid) => defenceTable(grid, summaries)),
    heading(2, "Attacks"),
    ...bench.grids.flatMap((grid) => attackBlocks(bench, grid)),
  ];
}

/**
 * Names the defence that keeps most accuracy of those that hold attacks down on average. Means can only be compared over
 * the same attacks: those that the most measured defence was measured against.
 */
function bestOf(bench: Bench, grid: BenchGrid, summaries: readonly DefenceSummary[]): Block {
  const own = summaries.filter(({ data, defence }) => data === grid.data && !bench.undefended.has(defence));
  const most = own.reduce<readonly string[]>(
    (attacks, { measured }) => (measured.length > attacks.length ? measured : attacks),
    [],
  );
  if (most.length === 0) return verdict("plain", `${grid.data}: nothing to compare`, "No defence was measured.");
  const compared = own
    .filter(({ measured }) => most.every((attack) => measured.includes(attack)))
    .map(({ defence }) => summaryOf(grid, defence, most));
  const limit = formatPercent(GETS_THROUGH);
  const [best] = compared
    .filter(({ attackSuccess }) => attackSuccess !== null && attackSuccess <= GETS_THROUGH)
    .sort((a, b) => (b.poisonedAccuracy ?? 0) - (a.poisonedAccuracy ?? 0));
  const basis = `${formatCount(compared.length)} of ${formatCount(own.length)} defences were measured against the same ${formatCount(most.length)} of ${formatCount(grid.attacks.length)} attacks.`;
  if (best === undefined) {
    return verdict(
      "bad",
      `${grid.data}: no defence holds`,
      `${basis} None of them keeps the mean attack success at or below ${limit}.`,
    );
  }
  const through =
    best.getsThrough.length === 0
      ? "No attack gets through it."
      : `These attacks get through it all the same: ${listed(best.getsThrough)}.`;
  return verdict(
    best.getsThrough.length === 0 ? "good" : "unsure",
    `${grid.data}: ${best.defence}`,
    `${basis} Among those with a mean attack success at or below ${limit} it keeps the highest mean poisoned accuracy, ${formatPercent(best.poisonedAccuracy)}, with clean accuracy ${formatPercent(best.cleanAccuracy)}, attack success ${formatPercent(best.attackSuccess)}, ${formatCalls(best.calls)} network calls and ${formatSeconds(best.seconds)} an image. ${through}`,
  );
}

function defenceTable({ data, attacks }: BenchGrid, summaries: readonly DefenceSummary[]): Block {
  return table({
    caption: `${data}: means over attacks, each attack counting the same. An attack gets through when the whole 95 % interval of its success lies above ${formatPercent(GETS_THROUGH)}.`,
    sortable: true,
    columns: [
      { title: "Defence" },
      { title: "Attacks", align: "right" },
      { title: "Mean CA", align: "right" },
      { title: "Mean PA", align: "right" },
      { title: "Mean ASR", align: "right" },
      { title: "Calls", align: "right" },
      { title: "Time an image", align: "right" },
      { title: "Gets through" },
    ],
    rows: summaries
      .filter((one) => one.data === data)
      .map((one) => [
        one.defence,
        {
          content: `${formatCount(one.measured.length)} of ${formatCount(attacks.length)}`,
          sort: one.measured.length,
        },
        { content: formatPercent(one.cleanAccuracy), sort: one.cleanAccuracy },
        { content: formatPercent(one.poisonedAccuracy), sort: one.poisonedAccuracy },
        { content: formatPercent(one.attackSuccess), sort: one.attackSuccess },
        { content: formatCalls(one.calls), sort: one.calls },
        { content: formatSeconds(one.seconds), sort: one.seconds },
        { content: listed(one.getsThrough), sort: one.getsThrough.length },
      ]),
  });
}

/** Names, or some of them and how many more. */
function listed(names: readonly string[]): string {
  if (names.length === 0) return "none";
  const shown = names.slice(0, 6).join(", ");
  return names.length > 6 ? `${shown} and ${formatCount(names.length - 6)} more` : shown;
}

function attackBlocks(bench: Bench, { data, attacks, defences, cell }: BenchGrid): Block[] {
  const cells = attacks.flatMap((attack) =>
    defences.filter((defence) => bench.undefended.has(defence)).flatMap((defence) => cell(attack, defence) ?? []),
  );
  const measured = cells.filter(({ done }) => done.length > 0);
  if (measured.length === 0) return [paragraph(`${data}: no attack was measured without a defence.`)];
  const weak = measured.filter((one) => (rateOf(one, "attackSuccess") ?? 1) < WORKS);
  const shown = ["cleanAccuracy", "poisonedAccuracy", "attackSuccess", "attackSuccessAllClasses", "floor"] as const;
  return [
    table({
      caption: `${data}: what attacks reach without a defence, with 95 % intervals.`,
      sortable: true,
      columns: [
        { title: "Attack" },
        ...["CA", "PA", "ASR", "ASR, all classes", "Floor"].map((title) => ({ title, align: "right" as const })),
      ],
      rows: measured.map((one) => [
        one.attack,
        ...shown.map((name) => ({ content: formatShare(cellShare(one, name)), sort: rateOf(one, name) })),
      ]),
    }),
    ...(weak.length === 0
      ? []
      : [
          paragraph(
            `Reached less than ${formatPercent(WORKS)} without a defence, so that defences cannot be judged by them: ${weak.map(({ attack }) => attack).join(", ")}.`,
          ),
        ]),
  ];
}
