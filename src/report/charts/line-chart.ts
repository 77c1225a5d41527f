/** @file Curves over two axes: losses over steps, attack success over poison rates, receiver operating characteristics. */
import { OptionError } from "../../core/errors.ts";
import { element, fragment, type Markup } from "../markup.ts";
import { formatCount, formatFigure } from "../numbers.ts";
import { CHART_WIDTH, type Chart, type ChartText } from "./chart.ts";
import { drawMark, point, polyline } from "./draw.ts";
import { type Axis, axisLabel, drawFrame, type Frame } from "./frame.ts";
import { isShown, type Scale } from "./scale.ts";
import { seriesClass, seriesDash } from "./theme.ts";
import { thinned } from "./thin.ts";

/** One curve. */
export interface LineSeries {
  readonly label: string;
  readonly x: ArrayLike<number>;
  /** As many as x; NaN leaves a gap. */
  readonly y: ArrayLike<number>;
  /** Ends of an interval around each y, drawn as a band. */
  readonly low?: ArrayLike<number> | undefined;
  readonly high?: ArrayLike<number> | undefined;
  /** A line; faint dots of raw data; a line with a mark on every point. `line` when left out. */
  readonly shape?: "line" | "dots" | "both" | undefined;
  /** Number that decides on colour, mark and dash; its place in the list when left out. */
  readonly series?: number | undefined;
}

/** What a line chart shows. */
export interface LineChartOptions extends ChartText {
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly LineSeries[];
  /** Pixels between the ends of the upright axis; 260 when left out. */
  readonly plotHeight?: number | undefined;
  /** Left out, a legend tells the series apart as soon as there are two. */
  readonly legend?: boolean | undefined;
  /** A line below the title; how many values are not drawn when left out. */
  readonly note?: string | undefined;
  /** Pixels kept for the labels of the upright axis at least. */
  readonly labelWidth?: number | undefined;
}

/**
 * Draws curves. Values that an axis has no place for (not finite, or not above 0 on a log axis) leave gaps, and the chart
 * says how many there are. Long lines are thinned to what can be seen; dots are all drawn.
 * @throws OptionError when a series' lists differ in length.
 */
export function lineChart(options: LineChartOptions): Chart {
  const { title, x, y, series, width = CHART_WIDTH, plotHeight = 260 } = options;
  series.forEach(checkLengths);
  const frame = drawFrame({
    title,
    width,
    plotHeight,
    x,
    y,
    note: options.note ?? noteOn(series.reduce((sum, one) => sum + countMissing(one, x, y), 0)),
    labelWidth: options.labelWidth,
    legend:
      (options.legend ?? series.length > 1)
        ? series.map((one, i) => ({
            label: one.label,
            series: one.series ?? i,
            shape: one.shape === "dots" ? "mark" : one.shape === "both" ? "both" : "line",
          }))
        : [],
    xs: values(series.flatMap((one) => [one.x])),
    ys: values(series.flatMap((one) => [one.y, one.low ?? [], one.high ?? []])),
  });
  return {
    title,
    description: options.description ?? describe(options),
    width,
    height: frame.height,
    body: fragment(
      frame.marks,
      series.map((one, i) => drawBand(one, one.series ?? i, frame)),
      series.map((one, i) => drawSeries(one, one.series ?? i, frame)),
    ),
  };
}

/** What a chart says about values that it cannot draw. */
export function noteOn(missing: number): string | undefined {
  if (missing === 0) return undefined;
  return missing === 1
    ? "1 value has no place on these axes and is not drawn."
    : `${formatCount(missing)} values have no place on these axes and are not drawn.`;
}

function* values(lists: readonly ArrayLike<number>[]): Generator<number> {
  for (const list of lists) for (let i = 0; i < list.length; i++) yield list[i] ?? Number.NaN;
}

function drawSeries(one: LineSeries, series: number, { x, y }: Frame): Markup {
  const { shape = "line" } = one;
  const points = positions(one.x, one.y, x, y);
  if (shape === "dots") {
    const dots = points.map(([px, py]) => (Number.isFinite(px + py) ? `M${point(px, py)}h0` : ""));
    return element("path", { class: `dots ${seriesClass(series)}`, d: dots.join("") });
  }
  const line = element("path", {
    class: `line ${seriesClass(series)}`,
    "stroke-dasharray": seriesDash(series),
    d: polyline(thinned(points)),
  });
  if (shape === "line") return line;
  const marks = points.flatMap(([px, py], i) =>
    Number.isFinite(px + py)
      ? [drawMark(series, px, py, `${one.label}: ${formatFigure(one.x[i] ?? null)}, ${valueLabel(y, one.y[i])}`)]
      : [],
  );
  return fragment(line, marks);
}

/** A band between low and high; where either is missing it is interrupted. */
function drawBand(one: LineSeries, series: number, { x, y }: Frame): Markup | undefined {
  if (one.low === undefined || one.high === undefined) return undefined;
  const upper = positions(one.x, one.high, x, y);
  const lower = positions(one.x, one.low, x, y);
  const pieces: string[] = [];
  let run: number[] = [];
  const close = (): void => {
    const there = run.map((i) => upper[i] ?? NOWHERE);
    const back = run.toReversed().map((i) => lower[i] ?? NOWHERE);
    if (run.length > 1) pieces.push(`${polyline([...there, ...back])}z`);
    run = [];
  };
  upper.forEach(([px, py], i) => {
    if (Number.isFinite(px + py + (lower[i]?.[1] ?? Number.NaN))) run.push(i);
    else close();
  });
  close();
  return element("path", { class: `band ${seriesClass(series)}`, d: pieces.join("") });
}

const NOWHERE: readonly [number, number] = [Number.NaN, Number.NaN];

function positions(xs: ArrayLike<number>, ys: ArrayLike<number>, x: Scale, y: Scale): (readonly [number, number])[] {
  return Array.from({ length: xs.length }, (_, i) => [
    x.position(xs[i] ?? Number.NaN),
    y.position(ys[i] ?? Number.NaN),
  ]);
}

function valueLabel({ kind }: Scale, value: number | undefined): string {
  if (value === undefined) return formatFigure(null);
  return kind === "share" ? `${formatFigure(100 * value)} %` : formatFigure(value);
}

function checkLengths({ label, x, y, low, high }: LineSeries): void {
  for (const list of [y, low, high]) {
    if (list !== undefined && list.length !== x.length) {
      throw new OptionError(`line "${label}": expected ${x.length} values, one for each x, got ${list.length}.`);
    }
  }
}

function countMissing({ x: xs, y: ys }: LineSeries, x: Axis, y: Axis): number {
  let missing = 0;
  for (let i = 0; i < xs.length; i++) {
    const shown = isShown(x.kind ?? "linear", xs[i] ?? Number.NaN) && isShown(y.kind ?? "linear", ys[i] ?? Number.NaN);
    if (!shown) missing++;
  }
  return missing;
}

function describe({ x, y, series }: LineChartOptions): string {
  const lines = series.map((one) => {
    const scale = y.kind === "share" ? 100 : 1;
    const first = formatFigure((one.y[0] ?? Number.NaN) * scale);
    const last = formatFigure((one.y[one.y.length - 1] ?? Number.NaN) * scale);
    return `${one.label}: ${formatCount(one.y.length)} points, from ${first} to ${last}.`;
  });
  return [`Lines of ${axisLabel(y)} over ${axisLabel(x)}.`, ...lines].join(" ");
}
