/**
 * @file Rows as a grid: on each data set attacks against defences, with the seeds of a cell taken together.
 */
import { rate } from "../../metrics/count.ts";
import { wilsonInterval } from "../../metrics/intervals.ts";
import {
  type BenchCounts,
  type BenchDone,
  type BenchFailed,
  type BenchRow,
  type BenchShare,
  latestRows,
} from "../../results/bench-row.ts";
import { groupBy } from "./group.ts";
import { labelMethods, methodKey } from "./labels.ts";

/** All seeds of one attack against one defence on one data set. */
export interface BenchCell {
  readonly data: string;
  readonly attack: string;
  readonly defence: string;
  readonly done: readonly BenchDone[];
  readonly failed: readonly BenchFailed[];
}

/** A data set's attacks and defences, in the order of their first row. */
export interface BenchGrid {
  readonly data: string;
  readonly attacks: readonly string[];
  readonly defences: readonly string[];
  /** The cell of an attack and a defence; undefined where the plan had none. */
  cell(attack: string, defence: string): BenchCell | undefined;
}

/** Whether images are answered behind a row's defence; an inverter and a scan look into the model alone. */
export function answersImages({ defence: { kind } }: BenchRow): boolean {
  return kind === "none" || kind === "purifier" || kind === "repair";
}

/** Everything that a bench page is made of. */
export interface Bench {
  /** One row a cell and seed. */
  readonly rows: readonly BenchRow[];
  /** Of defences that answer images. */
  readonly cells: readonly BenchCell[];
  readonly grids: readonly BenchGrid[];
  /** Labels of defences that are none at all. */
  readonly undefended: ReadonlySet<string>;
  /** Label of a row's attack, defence and data. */
  labelsOf(row: BenchRow): { readonly attack: string; readonly defence: string; readonly data: string };
}

/** Which figure of a cell. */
export type CountName = keyof BenchCounts;

/** Orders rows into a grid. Of several rows of a cell and seed the last that is done counts. */
export function benchOf(all: readonly BenchRow[]): Bench {
  const rows = latestRows(all);
  const attackLabels = labelMethods(rows.map(({ attack }) => attack));
  const defenceLabels = labelMethods(rows.map(({ defence }) => defence));
  const dataLabel = labelData(rows);
  const labels = new Map(
    rows.map((row) => [
      row,
      {
        attack: attackLabels.get(methodKey(row.attack)) ?? row.attack.name,
        defence: defenceLabels.get(methodKey(row.defence)) ?? row.defence.name,
        data: dataLabel(row),
      },
    ]),
  );
  const labelsOf: Bench["labelsOf"] = (row) => labels.get(row) ?? { attack: "", defence: "", data: "" };
  const cells = [
    ...groupBy(rows.filter(answersImages), (row) => JSON.stringify(Object.values(labelsOf(row)))).values(),
  ].flatMap((seeds) => {
    const [first] = seeds;
    if (first === undefined) return [];
    const done = seeds.filter((row) => row.status === "done");
    return [{ ...labelsOf(first), done, failed: seeds.filter((row) => row.status === "failed") }];
  });
  return {
    rows,
    cells,
    grids: [...groupBy(cells, ({ data }) => data)].map(([data, own]) => gridOf(data, own)),
    undefended: new Set(rows.filter(({ defence }) => defence.kind === "none").map((row) => labelsOf(row).defence)),
    labelsOf,
  };
}

/**
 * Names of data: `fashion-mnist test`, and where cells of one split see different numbers of images, with that number, since
 * their figures are not to be taken together. A cell that failed saw none, and stands with the largest.
 */
function labelData(rows: readonly BenchRow[]): (row: BenchRow) => string {
  const name = ({ data }: BenchRow): string => `${data.name} ${data.split}`;
  const sizes = new Map(
    [...groupBy(rows, name)].map(([data, own]) => [
      data,
      new Set(own.flatMap((row) => (row.status === "done" ? row.images : []))),
    ]),
  );
  return (row) => {
    const known = sizes.get(name(row));
    if (known === undefined || known.size < 2) return name(row);
    return `${name(row)}, ${row.status === "done" ? row.images : Math.max(...known)} images`;
  };
}

function gridOf(data: string, cells: readonly BenchCell[]): BenchGrid {
  const byAttack = new Map(
    [...groupBy(cells, ({ attack }) => attack)].map(([attack, own]) => [
      attack,
      new Map(own.map((cell) => [cell.defence, cell])),
    ]),
  );
  return {
    data,
    attacks: [...byAttack.keys()],
    defences: [...new Set(cells.map(({ defence }) => defence))],
    cell: (attack, defence) => byAttack.get(attack)?.get(defence),
  };
}

/**
 * A cell's share. Over several seeds: the mean, with Wilson's interval for the images of one seed, since all seeds see the
 * same images and counting them again would make it look surer than it is.
 * @returns `null` where nothing was measured.
 */
export function cellShare(cell: BenchCell | undefined, name: CountName): BenchShare | null {
  const shares = (cell?.done ?? []).flatMap(({ counts }) => counts[name] ?? []).filter(({ total }) => total > 0);
  const [first] = shares;
  if (first === undefined || shares.length === 1) return first ?? null;
  const mean = meanOf(shares.map(rate)) ?? 0;
  const total = Math.min(...shares.map((share) => share.total));
  return { hits: mean * total, total, ...wilsonInterval({ hits: Math.round(mean * total), total }) };
}

/** The mean of some figures of a cell over its seeds; `null` where there is none. */
export function cellMean(cell: BenchCell | undefined, figure: (row: BenchDone) => number | null): number | null {
  return meanOf((cell?.done ?? []).flatMap((row) => figure(row) ?? []));
}

/** The mean; `null` of nothing. */
export function meanOf(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}
