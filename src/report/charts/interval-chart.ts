/**
 * @file Dots with their intervals, one line a row, rows in groups: shares of attacks or defences side by side. Without
 * intervals it is a dot plot, which, unlike bars, also works on a logarithmic axis: for costs.
 */
import { coordinate, element, fragment, type Markup } from "../markup.ts";
import { formatFigure } from "../numbers.ts";
import { CHART_WIDTH, type Chart, type ChartText } from "./chart.ts";
import { drawLine, drawMark, drawText, point, TEXT } from "./draw.ts";
import { type Axis, axisLabel, drawHead, drawXAxis, fitScale, MARGIN } from "./frame.ts";
import { isShown, type Scale } from "./scale.ts";
import { textWidth } from "./text-width.ts";
import { seriesClass } from "./theme.ts";

/** A value with the ends of its interval, where it has one. */
export interface IntervalValue {
  readonly value: number;
  readonly low?: number | undefined;
  readonly high?: number | undefined;
  /**
   * The figure as text, told on hovering and in the description, and printed at the right when there is one series; three
   * significant digits, not printed, when left out.
   */
  readonly text?: string | undefined;
}

/** One line of the chart: a value for each series, `null` where nothing was measured. */
export interface IntervalRow {
  readonly label: string;
  readonly values: readonly (IntervalValue | null)[];
}

/** What an interval chart shows. */
export interface IntervalChartOptions extends ChartText {
  readonly axis: Axis;
  /** Names of the series; each row has a value for each. */
  readonly series: readonly string[];
  /** Rows under a heading; one group without a heading is a plain list. */
  readonly groups: readonly { readonly label?: string | undefined; readonly rows: readonly IntervalRow[] }[];
  /** A line to compare with, such as chance. */
  readonly reference?: { readonly value: number; readonly label: string } | undefined;
}

/** Height of a row: a base, and so much for each series beyond the first. */
const ROW = 22;
const SERIES = 11;
const HEADING = 28;

/** Draws values with their intervals. A value that the axis has no place for is left out, and the row says so. */
export function intervalChart(options: IntervalChartOptions): Chart {
  const { title, axis, series, groups, width = CHART_WIDTH, reference } = options;
  const rows = groups.flatMap((group) => group.rows);
  const head = drawHead({
    title,
    width,
    legend: series.length > 1 ? series.map((label, i) => ({ label, series: i, shape: "mark" })) : [],
    note: undefined,
  });
  const labels = Math.min(Math.max(...rows.map(({ label }) => textWidth(label, TEXT)), 40), width * 0.38);
  const figures = series.length > 1 ? 0 : Math.max(...rows.map((row) => textWidth(row.values[0]?.text ?? "", TEXT)), 0);
  const [left, right] = [MARGIN + labels + 14, width - MARGIN - Math.max(figures + 14, 20)];
  const rowHeight = ROW + SERIES * (Math.max(series.length, 1) - 1);
  const top = head.height + (reference === undefined ? 4 : 20);
  const bottom =
    top + groups.reduce((sum, group) => sum + rowHeight * group.rows.length + (group.label ? HEADING : 0), 0) + 4;
  const values = rows.flatMap((row) => row.values.flatMap((one) => (one === null ? [] : endsOf(one))));
  const scale = fitScale({ axis, values: reference ? [...values, reference.value] : values, left, right });
  const lines: Markup[] = [];
  let y = top;
  for (const group of groups) {
    if (group.label) {
      lines.push(drawText(group.label, MARGIN, y + 19, { class: "b", limit: width - 2 * MARGIN }));
      y += HEADING;
    }
    for (const row of group.rows) {
      lines.push(drawRow(row, { scale, left, right, labels, y, rowHeight, series }));
      y += rowHeight;
    }
  }
  return {
    title,
    description: options.description ?? describe(options),
    width,
    height: bottom + 44 + MARGIN,
    body: fragment(
      head.marks,
      drawXAxis(scale, { top, bottom }),
      reference && drawReference(scale, reference, { top, bottom }),
      lines,
      drawText(axisLabel(axis), (left + right) / 2, bottom + 40, { anchor: "middle", class: "f", limit: right - left }),
    ),
  };
}

interface RowPlace {
  readonly scale: Scale;
  readonly left: number;
  readonly right: number;
  readonly labels: number;
  readonly y: number;
  readonly rowHeight: number;
  readonly series: readonly string[];
}

function drawRow(
  { label, values }: IntervalRow,
  { scale, left, right, labels, y, rowHeight, series }: RowPlace,
): Markup {
  const marks = series.map((name, i) => {
    const one = values[i] ?? null;
    const at = y + ROW / 2 + SERIES * i;
    if (one === null || !isShown(scale.kind, one.value)) {
      return series.length > 1 ? undefined : drawText("not measured", left + 6, at + 4, { class: "f" });
    }
    return fragment(
      drawInterval(one, scale, at, i),
      drawMark(i, scale.position(one.value), at, `${label}, ${name}: ${valueText(one, scale.kind)}`),
    );
  });
  return fragment(
    drawLine([MARGIN, y + rowHeight], [right, y + rowHeight], "thin grid"),
    drawText(label, MARGIN, y + rowHeight / 2 + 4, { limit: labels }),
    series.length === 1 && values[0]?.text !== undefined
      ? drawText(values[0].text, right + 14, y + rowHeight / 2 + 4, { class: "n" })
      : undefined,
    marks,
  );
}

function drawInterval({ low, high }: IntervalValue, scale: Scale, y: number, series: number): Markup | undefined {
  if (low === undefined || high === undefined) return undefined;
  const [from, to] = [scale.position(low), scale.position(high)];
  if (!Number.isFinite(from + to)) return undefined;
  return element("g", { class: seriesClass(series) }, drawLine([from, y], [to, y], "line"));
}

function drawReference(
  scale: Scale,
  { value, label }: { readonly value: number; readonly label: string },
  { top, bottom }: { readonly top: number; readonly bottom: number },
): Markup | undefined {
  const x = scale.position(value);
  if (!Number.isFinite(x)) return undefined;
  return fragment(
    element("path", { class: "thin f", "stroke-dasharray": "4 3", d: `M${point(x, top)}V${coordinate(bottom)}` }),
    drawText(label, x, top - 6, {
      anchor: x > (scale.position(scale.domain[1]) * 2) / 3 ? "end" : "start",
      class: "f",
    }),
  );
}

function endsOf({ value, low, high }: IntervalValue): number[] {
  return [value, low ?? value, high ?? value];
}

function valueText({ value, text }: IntervalValue, kind: Scale["kind"]): string {
  return text ?? (kind === "share" ? `${formatFigure(100 * value)} %` : formatFigure(value));
}

function describe({ axis, series, groups }: IntervalChartOptions): string {
  const rows = groups.flatMap((group) =>
    group.rows.map(({ label, values }) => {
      const figures = values.flatMap((one, i) =>
        one === null ? [] : [`${series.length > 1 ? `${series[i]} ` : ""}${valueText(one, axis.kind ?? "linear")}`],
      );
      return `${group.label ? `${group.label}, ` : ""}${label}: ${figures.join(", ") || "not measured"}.`;
    }),
  );
  return [`${axisLabel(axis)} of ${rows.length} rows.`, ...rows].join(" ");
}
