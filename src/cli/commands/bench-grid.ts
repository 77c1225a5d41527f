/** @file The cells of a bench as a grid of marks: attacks down, defences across, a mark for each seed. */
import { nameDefence, nameMethod } from "../../jobs/bench/expand.ts";
import type { CellDefence, CellJob } from "../../jobs/bench/job.ts";

/** How a cell is drawn. */
const marks = { waiting: "\u00b7", running: "\u25b8", done: "\u2713", failed: "\u2717" } as const;

/** Where a cell stands. */
export type BenchMark = keyof typeof marks;

/** A grid of more lines or columns than this is no overview. */
const MOST = 30;

/**
 * Draws a grid. Methods of equal names and other options have lines and columns of their own.
 * @returns lines of a state by key; none when there would be too many.
 */
export function benchGrid(cells: readonly CellJob[]): (state: ReadonlyMap<string, BenchMark>) => string[] {
  const rows = new Map<string, { readonly name: string; readonly cells: Map<string, string[]> }>();
  const columns = new Map<string, string>();
  for (const { key, data, attack, threat, model, defence, prior } of cells) {
    const of = JSON.stringify([attack, data.name, threat === "trigger" && attack.preset === null ? model : null]);
    const row = rows.get(of) ?? { name: nameMethod(attack), cells: new Map<string, string[]>() };
    const column = JSON.stringify([columnOf(defence), prior]);
    rows.set(of, row);
    columns.set(column, columns.get(column) ?? nameDefence({ defence, prior }));
    row.cells.set(column, [...(row.cells.get(column) ?? []), key]);
  }
  if (rows.size > MOST || columns.size > MOST) return () => [];
  const lines = [...rows.values()];
  const left = Math.max(...lines.map(({ name }) => name.length), 0);
  const widths = [...columns.keys()].map((column, i) =>
    Math.max(String(i + 1).length, ...lines.map((row) => row.cells.get(column)?.length ?? 0)),
  );
  const line = (name: string, drawn: (column: string, i: number) => string): string =>
    [name.padEnd(left), "", ...[...columns.keys()].map((column, i) => drawn(column, i).padEnd(widths[i] ?? 0))].join(
      " ",
    );
  const legend = [...columns.values()].map((name, i) => `${i + 1} ${name}`).join(", ");
  return (state) => [
    line("", (_, i) => String(i + 1)),
    ...lines.map((row) =>
      line(row.name, (column) =>
        (row.cells.get(column) ?? []).map((key) => marks[state.get(key) ?? "waiting"]).join(""),
      ),
    ),
    legend,
  ];
}

/** What makes a defence a column of its own: everything but which clean images it sees, since every seed has others. */
function columnOf(defence: CellDefence): unknown {
  return "clean" in defence ? { ...defence, clean: defence.clean.count } : defence;
}
