/** @file Points over two axes: what a defence costs against what it saves. */
import { element, fragment, type Markup } from "../markup.ts";
import { formatCount, formatFigure } from "../numbers.ts";
import { CHART_WIDTH, type Chart, type ChartText } from "./chart.ts";
import { drawLine, drawMark, drawText, TEXT } from "./draw.ts";
import { type Axis, axisLabel, drawFrame, type Frame } from "./frame.ts";
import { isShown, type ScaleKind } from "./scale.ts";
import { textWidth } from "./text-width.ts";
import { seriesClass } from "./theme.ts";

/** One point, with the ends of its intervals where it has any. */
export interface ScatterPoint {
  readonly x: number;
  readonly y: number;
  readonly label: string;
  readonly xInterval?: { readonly low: number; readonly high: number } | undefined;
  readonly yInterval?: { readonly low: number; readonly high: number } | undefined;
}

/** What a scatter chart shows. */
export interface ScatterChartOptions extends ChartText {
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly { readonly label: string; readonly points: readonly ScatterPoint[] }[];
  /** Pixels between the ends of the upright axis; 300 when left out. */
  readonly plotHeight?: number | undefined;
  /** Writes the points' labels beside them where there is room. Every label is told on hovering. */
  readonly labels?: boolean | undefined;
}

/** Draws points. Those that an axis has no place for are left out, and the chart says how many. */
export function scatterChart(options: ScatterChartOptions): Chart {
  const { title, x, y, series, width = CHART_WIDTH, plotHeight = 300 } = options;
  const kinds: readonly [ScaleKind, ScaleKind] = [x.kind ?? "linear", y.kind ?? "linear"];
  const shown = series.map(({ label, points }) => ({
    label,
    points: points.filter((point) => isShown(kinds[0], point.x) && isShown(kinds[1], point.y)),
  }));
  const all = shown.flatMap(({ points }) => points);
  const missing = series.reduce((sum, { points }) => sum + points.length, 0) - all.length;
  const frame = drawFrame({
    title,
    width,
    plotHeight,
    x,
    y,
    legend: series.length > 1 ? series.map(({ label }, i) => ({ label, series: i, shape: "mark" })) : [],
    xs: all.flatMap((point) => [point.x, point.xInterval?.low ?? point.x, point.xInterval?.high ?? point.x]),
    ys: all.flatMap((point) => [point.y, point.yInterval?.low ?? point.y, point.yInterval?.high ?? point.y]),
    note: missing === 0 ? undefined : `${formatCount(missing)} points have no place on these axes and are not drawn.`,
  });
  return {
    title,
    description: options.description ?? describe(options),
    width,
    height: frame.height,
    body: fragment(
      frame.marks,
      shown.map(({ points }, i) => points.map((point) => drawIntervals(point, i, frame))),
      shown.map(({ points, label }, i) =>
        points.map((point) =>
          drawMark(i, frame.x.position(point.x), frame.y.position(point.y), hover(point, label, kinds)),
        ),
      ),
      options.labels === true ? drawLabels(all, frame) : undefined,
    ),
  };
}

function drawIntervals({ x, y, xInterval, yInterval }: ScatterPoint, series: number, frame: Frame): Markup | undefined {
  const [px, py] = [frame.x.position(x), frame.y.position(y)];
  const lines: Markup[] = [];
  if (xInterval !== undefined) {
    lines.push(drawLine([frame.x.position(xInterval.low), py], [frame.x.position(xInterval.high), py], "thin"));
  }
  if (yInterval !== undefined) {
    lines.push(drawLine([px, frame.y.position(yInterval.low)], [px, frame.y.position(yInterval.high)], "thin"));
  }
  return lines.length === 0 ? undefined : element("g", { class: seriesClass(series), opacity: 0.5 }, lines);
}

interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** Labels beside their points, first come first served; one without a free place is only told on hovering. */
function drawLabels(points: readonly ScatterPoint[], { x, y, plot }: Frame): Markup[] {
  const taken: Box[] = points.map((point) => boxAround(x.position(point.x), y.position(point.y), 5, 5));
  return points.flatMap((point) => {
    const [px, py] = [x.position(point.x), y.position(point.y)];
    const width = textWidth(point.label, TEXT);
    const places = [
      { left: px + 8, baseline: py + 4 },
      { left: px - 8 - width, baseline: py + 4 },
      { left: px - width / 2, baseline: py - 9 },
      { left: px - width / 2, baseline: py + 17 },
      { left: px + 6, baseline: py - 8 },
      { left: px + 6, baseline: py + 16 },
      { left: px - 6 - width, baseline: py - 8 },
      { left: px - 6 - width, baseline: py + 16 },
    ];
    for (const { left, baseline } of places) {
      const box = { left, right: left + width, top: baseline - 10, bottom: baseline + 3 };
      if (box.left < plot.left || box.right > plot.right + 20 || box.top < plot.top || box.bottom > plot.bottom)
        continue;
      if (taken.some((other) => overlap(box, other))) continue;
      taken.push(box);
      return [drawText(point.label, left, baseline)];
    }
    return [];
  });
}

function boxAround(x: number, y: number, dx: number, dy: number): Box {
  return { left: x - dx, right: x + dx, top: y - dy, bottom: y + dy };
}

function overlap(a: Box, b: Box): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}

function hover({ x, y, label }: ScatterPoint, series: string, [xKind, yKind]: readonly [ScaleKind, ScaleKind]): string {
  const text = (value: number, kind: ScaleKind): string =>
    kind === "share" ? `${formatFigure(100 * value)} %` : formatFigure(value);
  return `${series}, ${label}: ${text(x, xKind)}, ${text(y, yKind)}`;
}

function describe({ x, y, series }: ScatterChartOptions): string {
  const kinds: readonly [ScaleKind, ScaleKind] = [x.kind ?? "linear", y.kind ?? "linear"];
  const points = series.flatMap(({ label, points }) => points.map((point) => `${hover(point, label, kinds)}.`));
  return [`Points of ${axisLabel(y)} over ${axisLabel(x)}.`, ...points].join(" ");
}
