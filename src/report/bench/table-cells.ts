/** @file Cells and columns that the tables of a bench share. */
import { rate } from "../../metrics/count.ts";
import type { BenchShare } from "../../results/bench-row.ts";
import { formatShare } from "../numbers.ts";
import type { Cell, Column } from "../page/tree.ts";
import type { Bench } from "./cells.ts";

/** The columns that say which cell a row is of. */
export const nameColumns: readonly Column[] = [{ title: "Attack" }, { title: "Defence" }, { title: "Data" }];

/** What stands in {@link nameColumns}. */
export function namesOf({ attack, defence, data }: ReturnType<Bench["labelsOf"]>): Cell[] {
  return [attack, defence, data];
}

/** A column of figures. */
export function toRight(title: string): Column {
  return { title, align: "right" };
}

/** A figure, and what rows are ordered by. */
export function figureCell(content: string, sort: number | null): Cell {
  return { content, sort };
}

/** A share with its interval. */
export function shareCell(share: BenchShare | null): Cell {
  return { content: formatShare(share), sort: share === null || share.total === 0 ? null : rate(share) };
}
