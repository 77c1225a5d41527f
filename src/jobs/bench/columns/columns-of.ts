/** @file The columns of a grid, each with the way to it in the plan. */
import type { PlanPath } from "../../../bench/read-plan.ts";
import type { ColumnPlans, Grid } from "../grid.ts";
import type { Column } from "./column.ts";
import { inverterColumn } from "./inverter.ts";
import { purifierColumn } from "./purifier.ts";
import { repairColumn } from "./repair.ts";
import { scanColumn } from "./scan.ts";

/** A column, and where it stands. */
export interface PlacedColumn {
  readonly column: Column;
  readonly path: PlanPath;
}

/** The columns of a grid in the order of the lists. @param at adds to what is refused where it stands. */
export function columnsOf(
  { columns, path }: Pick<Grid, "columns" | "path">,
  at: <T>(path: PlanPath, work: () => T) => T,
): readonly PlacedColumn[] {
  const list = <List extends keyof ColumnPlans>(
    name: List,
    resolve: (plan: ColumnPlans[List][number]) => Column,
  ): PlacedColumn[] =>
    columns[name].map((plan: ColumnPlans[List][number], i) => {
      const place = path(name, i);
      return { column: at(place, () => resolve(plan)), path: place };
    });
  return [
    ...list("purifiers", purifierColumn),
    ...list("repairs", repairColumn),
    ...list("inverters", inverterColumn),
    ...list("scans", scanColumn),
  ];
}
