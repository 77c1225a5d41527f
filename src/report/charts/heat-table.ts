/** @file A grid of shares, coloured by value, with the figures in its cells: attacks against defences at a glance. */
import { element, fragment, type Markup } from "../markup.ts";
import { NOT_MEASURED } from "../numbers.ts";
import { CHART_WIDTH, type Chart, type ChartText } from "./chart.ts";
import { drawText, TEXT } from "./draw.ts";
import { drawHead, MARGIN } from "./frame.ts";
import { textWidth } from "./text-width.ts";
import { heatClass } from "./theme.ts";

/** What a heat table shows. */
export interface HeatTableOptions extends ChartText {
  readonly rows: readonly string[];
  readonly columns: readonly string[];
  /** Shares 0..1 by row and column; `null` where nothing was measured. */
  readonly values: readonly (readonly (number | null)[])[];
  /** A line below the title: what the figures are. */
  readonly note?: string | undefined;
}

const CELL_HEIGHT = 26;
const NARROWEST = 46;
/** Column names that are wider than their cells are turned by so many degrees. */
const TURN = -40;

/** Draws a grid of shares, printed in percent. It grows wider than asked for rather than illegible. */
export function heatTable(options: HeatTableOptions): Chart {
  const { title, rows, columns, values, note, width = CHART_WIDTH } = options;
  const labels = Math.min(Math.max(...rows.map((label) => textWidth(label, TEXT)), 40), 240);
  const left = MARGIN + labels + 10;
  const longest = Math.min(Math.max(...columns.map((label) => textWidth(label, TEXT)), 0), 200);
  const count = Math.max(columns.length, 1);
  const cell = Math.min(Math.max((width - left - MARGIN) / count, NARROWEST), 120);
  const turned = longest > cell - 6;
  const slope = (-TURN * Math.PI) / 180;
  // A turned name at the right edge leans out of the table by its own width.
  const lean = turned ? Math.max(longest * Math.cos(slope) - cell / 2, 0) : 0;
  const chartWidth = Math.max(left + cell * count + Math.max(MARGIN, lean + 6), Math.min(width, 360));
  const head = drawHead({ title, width: chartWidth, legend: [], note });
  const top = head.height + (turned ? longest * Math.sin(slope) + 14 : 22);
  return {
    title,
    description: options.description ?? describe(options),
    width: chartWidth,
    height: top + CELL_HEIGHT * rows.length + MARGIN,
    body: fragment(
      head.marks,
      columns.map((label, c) => {
        const x = left + cell * (c + 0.5);
        return turned
          ? drawText(label, x - 2, top - 6, { turn: TURN, limit: longest + 1 })
          : drawText(label, x, top - 8, { anchor: "middle" });
      }),
      rows.map((label, r) =>
        fragment(
          drawText(label, MARGIN, top + CELL_HEIGHT * r + 17, { limit: labels }),
          columns.map((_, c) => drawCell(values[r]?.[c] ?? null, left + cell * c, top + CELL_HEIGHT * r, cell)),
        ),
      ),
    ),
  };
}

function drawCell(value: number | null, x: number, y: number, width: number): Markup {
  const [middle, baseline] = [x + width / 2, y + 17];
  if (value === null || !Number.isFinite(value)) {
    return drawText(NOT_MEASURED, middle, baseline, { anchor: "middle", class: "f" });
  }
  const heat = heatClass(value);
  return fragment(
    element("rect", { class: heat, x: x + 0.5, y: y + 0.5, width: width - 1, height: CELL_HEIGHT - 1, rx: 2 }),
    drawText(printed(value), middle, baseline, { anchor: "middle", class: `n ${heat}t` }),
  );
}

function printed(value: number): string {
  return (100 * value).toFixed(1);
}

function describe({ rows, columns, values }: HeatTableOptions): string {
  const lines = rows.map((row, r) => {
    const cells = columns.map((column, c) => {
      const value = values[r]?.[c] ?? null;
      return `${column} ${value === null ? NOT_MEASURED : printed(value)}`;
    });
    return `${row}: ${cells.join(", ")}.`;
  });
  return ["A grid of shares in percent.", ...lines].join(" ");
}
