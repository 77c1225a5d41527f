/** @file What rows of inverters and scans have in common: they look into a model, and answer no images. */
import { type Count, rate } from "../../metrics/count.ts";
import type { BenchDone } from "../../results/bench-row.ts";
import { formatShare } from "../numbers.ts";
import { badge, type Cell } from "../page/tree.ts";
import type { Bench } from "./cells.ts";
import { groupBy } from "./group.ts";

/** Rows of one method on one data set. */
export interface LookGroup<Row extends BenchDone> {
  readonly defence: string;
  readonly data: string;
  readonly rows: readonly Row[];
  /** Of models with something planted, and of those that nobody attacked. */
  readonly backdoored: readonly Row[];
  readonly clean: readonly Row[];
}

/** Rows by method and data, in the order of their first row. */
export function lookGroups<Row extends BenchDone>(bench: Bench, rows: readonly Row[]): readonly LookGroup<Row>[] {
  const groups = groupBy(rows, (row) => {
    const { defence, data } = bench.labelsOf(row);
    return JSON.stringify([defence, data]);
  });
  return [...groups.values()].flatMap((own) => {
    const [first] = own;
    if (first === undefined) return [];
    const { defence, data } = bench.labelsOf(first);
    const isClean = ({ attack }: Row): boolean => attack.name === "none";
    const clean = own.filter(isClean);
    return [{ defence, data, rows: own, clean, backdoored: own.filter((row) => !isClean(row)) }];
  });
}

/** So many of some rows, with an interval. */
export function countCell<Row>(rows: readonly Row[], isHit: (row: Row) => boolean): Cell {
  const count: Count = { hits: rows.filter(isHit).length, total: rows.length };
  const of = count.total === 0 ? "" : ` of ${count.total}`;
  return { content: `${formatShare(count)}${of}`, sort: count.total === 0 ? null : rate(count) };
}

/** Whether the target stands on top. */
export function targetCell(topIsTarget: boolean | null): Cell {
  if (topIsTarget === null) return "no target";
  return topIsTarget ? badge("good", "yes") : badge("bad", "no");
}

/** A class, or none. */
export function classCell(id: number | null): Cell {
  return { content: id === null ? "none" : String(id), sort: id };
}
