/**
 * @file What stands around the marks of a chart with two axes: title, legend, grid, ticks that never overlap, and what the
 * axes mean. The name of the upright axis lies flat above it, where it can be read.
 */
import { fragment, type Markup } from "../markup.ts";
import { drawLegend, drawLine, drawText, type LegendEntry, TEXT, TITLE } from "./draw.ts";
import { createScale, type Scale, type ScaleKind } from "./scale.ts";
import { textWidth } from "./text-width.ts";

/** An axis as the caller wants it. */
export interface Axis {
  /** What is measured, with its unit: "seconds per image". */
  readonly label: string;
  /** `linear` when left out. */
  readonly kind?: ScaleKind | undefined;
  /** Values that must be within the axis, such as 0. */
  readonly include?: readonly number[] | undefined;
}

/** Where the marks go. */
export interface Frame {
  readonly x: Scale;
  readonly y: Scale;
  readonly plot: { readonly left: number; readonly right: number; readonly top: number; readonly bottom: number };
  /** Everything but the marks. */
  readonly marks: Markup;
  /** Height of the whole chart. */
  readonly height: number;
}

/** What a frame is made for. */
export interface FrameOptions {
  readonly title: string;
  readonly width: number;
  /** Height of the plot alone. */
  readonly plotHeight: number;
  readonly legend: readonly LegendEntry[];
  readonly x: Axis;
  readonly y: Axis;
  readonly xs: Iterable<number>;
  readonly ys: Iterable<number>;
  /** A line below the title: what is not drawn. */
  readonly note?: string | undefined;
  /** Pixels kept for the labels of the upright axis at least, so that charts above each other line up. */
  readonly labelWidth?: number | undefined;
}

/** Lays out and draws the frame of a chart. */
export function drawFrame({
  title,
  width,
  plotHeight,
  legend,
  x,
  y,
  xs,
  ys,
  note,
  labelWidth = 12,
}: FrameOptions): Frame {
  const head = drawHead({ title, width, legend, note });
  const top = head.height + 26;
  const bottom = top + plotHeight;
  const yScale = createScale({
    kind: y.kind ?? "linear",
    values: ys,
    include: y.include,
    range: [bottom, top],
    parts: Math.max(Math.floor(plotHeight / 38), 2),
  });
  const left = MARGIN + Math.max(...yScale.ticks.map(({ label }) => textWidth(label, TEXT)), labelWidth) + 8;
  // Half of the last tick's label stands right of the plot.
  const [plotLeft, plotRight] = [left, width - MARGIN - 20];
  const xScale = fitScale({ axis: x, values: [...xs], left: plotLeft, right: plotRight });
  const marks = fragment(
    head.marks,
    drawText(axisLabel(y), MARGIN, top - 12, { class: "f", limit: width - 2 * MARGIN }),
    yScale.ticks.map(({ value, label }) => [
      drawLine([plotLeft, yScale.position(value)], [plotRight, yScale.position(value)], "thin grid"),
      drawText(label, left - 8, yScale.position(value) + 4, { anchor: "end", class: "f n" }),
    ]),
    drawXAxis(xScale, { top, bottom }),
    drawText(axisLabel(x), (plotLeft + plotRight) / 2, bottom + 40, {
      anchor: "middle",
      class: "f",
      limit: plotRight - plotLeft,
    }),
  );
  return {
    x: xScale,
    y: yScale,
    plot: { left: plotLeft, right: plotRight, top, bottom },
    marks,
    height: bottom + 40 + MARGIN,
  };
}

/** Space around a chart, in pixels. */
export const MARGIN = 12;

/** Title, note and legend of a chart, from its upper edge. */
export function drawHead({ title, width, legend, note }: Pick<FrameOptions, "title" | "width" | "legend" | "note">): {
  readonly marks: readonly Markup[];
  readonly height: number;
} {
  const inner = width - 2 * MARGIN;
  let y = MARGIN + TITLE;
  // The title's font is larger than the text that `limit` measures.
  const marks = [drawText(title, MARGIN, y, { class: "t", limit: (inner * TEXT) / (TITLE * 1.08) })];
  if (note !== undefined) {
    y += 18;
    marks.push(drawText(note, MARGIN, y, { class: "f", limit: inner }));
  }
  const below = drawLegend(legend, { left: MARGIN, top: y + 8, width: inner });
  return { marks: [...marks, ...below.marks], height: y + 8 + below.height };
}

/** Upright grid lines with their ticks below. */
export function drawXAxis(scale: Scale, { top, bottom }: { readonly top: number; readonly bottom: number }): Markup[] {
  return scale.ticks.map(({ value, label }) =>
    fragment(
      drawLine([scale.position(value), top], [scale.position(value), bottom + 4], "thin grid"),
      drawText(label, scale.position(value), bottom + 18, { anchor: "middle", class: "f n" }),
    ),
  );
}

/** The horizontal scale with as many ticks as fit side by side. */
export function fitScale({
  axis,
  values,
  left,
  right,
}: {
  readonly axis: Axis;
  readonly values: readonly number[];
  readonly left: number;
  readonly right: number;
}): Scale {
  const scaleOf = (parts: number): Scale =>
    createScale({ kind: axis.kind ?? "linear", values, include: axis.include, range: [left, right], parts });
  let parts = Math.max(Math.floor((right - left) / 60), 1);
  let scale = scaleOf(parts);
  while (parts > 1 && ticksOverlap(scale)) scale = scaleOf(--parts);
  return scale;
}

function ticksOverlap({ ticks, position }: Scale): boolean {
  return ticks.some(({ value, label }, i) => {
    const next = ticks[i + 1];
    if (next === undefined) return false;
    const needed = (textWidth(label, TEXT) + textWidth(next.label, TEXT)) / 2 + 8;
    return position(next.value) - position(value) < needed;
  });
}

/** An axis's name; shares are written in percent, so it says so. */
export function axisLabel({ label, kind }: Axis): string {
  return kind === "share" ? `${label} (%)` : label;
}
