/** @file The few shapes that charts are made of. */
import { coordinate, element, type Markup } from "../markup.ts";
import { fitText, textWidth } from "./text-width.ts";
import { markPath, seriesClass, seriesDash } from "./theme.ts";

/** Size of a chart's ordinary text, in pixels. */
export const TEXT = 12;
/** Size of its title. */
export const TITLE = 14;

/** How a text is set. */
export interface TextOptions {
  /** Which end of the text is at x; `start` when left out. */
  readonly anchor?: "start" | "middle" | "end" | undefined;
  /** Classes of the theme: `t` title, `b` bold, `f` faint, `n` figures of equal width. */
  readonly class?: string | undefined;
  /** Cut to so many pixels; the whole text is then told on hovering. */
  readonly limit?: number | undefined;
  /** Turned round its anchor, in degrees. */
  readonly turn?: number | undefined;
}

/** A line of text whose baseline is at (x, y). */
export function drawText(text: string, x: number, y: number, options: TextOptions = {}): Markup {
  const { anchor = "start", limit, turn } = options;
  const shown = limit === undefined ? text : fitText(text, limit, TEXT);
  return element(
    "text",
    {
      class: options.class,
      x,
      y,
      "text-anchor": anchor === "start" ? undefined : anchor,
      transform: turn === undefined ? undefined : `rotate(${coordinate(turn)} ${coordinate(x)} ${coordinate(y)})`,
    },
    shown,
    shown === text ? undefined : element("title", {}, text),
  );
}

/** A thin straight line. */
export function drawLine(from: readonly [number, number], to: readonly [number, number], className: string): Markup {
  return element("path", { class: className, d: `M${point(...from)}L${point(...to)}` });
}

/** A polyline through points; NaN leaves a gap. */
export function polyline(points: Iterable<readonly [number, number]>): string {
  const pieces: string[] = [];
  let open = false;
  for (const [x, y] of points) {
    const drawn = Number.isFinite(x) && Number.isFinite(y);
    if (drawn) pieces.push(`${open ? "L" : "M"}${point(x, y)}`);
    open = drawn;
  }
  return pieces.join("");
}

/** Coordinates as a path has them. */
export function point(x: number, y: number): string {
  return `${coordinate(x)} ${coordinate(y)}`;
}

/** The mark of a series. @param label told on hovering. */
export function drawMark(series: number, x: number, y: number, label?: string): Markup {
  return element(
    "g",
    { class: seriesClass(series) },
    label === undefined ? undefined : element("title", {}, label),
    element("path", { class: "fill", d: markPath(series, x, y) }),
  );
}

/** One entry of a legend. */
export interface LegendEntry {
  readonly label: string;
  /** Number of the series, for its colour, mark and dash. */
  readonly series: number;
  /** A line, a mark, or both. */
  readonly shape: "line" | "mark" | "both";
}

const sample = 26;
const lineHeight = 20;

/**
 * A legend in as many lines as its width needs.
 * @returns its marks, drawn below `top`, and the height that it takes: 0 without entries.
 */
export function drawLegend(
  entries: readonly LegendEntry[],
  { left, top, width }: { readonly left: number; readonly top: number; readonly width: number },
): { readonly marks: readonly Markup[]; readonly height: number } {
  let x = left;
  let y = top + 14;
  const marks = entries.map(({ label, series, shape }) => {
    const limit = width - sample - 6;
    const taken = sample + 6 + Math.min(textWidth(label, TEXT), limit) + 18;
    if (x > left && x + taken - 18 > left + width) {
      x = left;
      y += lineHeight;
    }
    const middle = y - 4;
    const entry = element(
      "g",
      {},
      element(
        "g",
        { class: seriesClass(series) },
        shape === "mark"
          ? undefined
          : element("path", {
              class: "line",
              "stroke-dasharray": seriesDash(series),
              d: `M${point(x, middle)}h${sample}`,
            }),
        shape === "line" ? undefined : element("path", { class: "fill", d: markPath(series, x + sample / 2, middle) }),
      ),
      drawText(label, x + sample + 6, y, { limit }),
    );
    x += taken;
    return entry;
  });
  return { marks, height: entries.length === 0 ? 0 : y - top + 8 };
}
