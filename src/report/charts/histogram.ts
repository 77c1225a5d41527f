/**
 * @file How values are distributed: one panel a sample over one axis, so that samples can be told apart without colour, with
 * a threshold through all of them.
 */
import { quantile } from "../../metrics/conformal.ts";
import { coordinate, element, fragment, type Markup } from "../markup.ts";
import { formatCount, formatFigure, formatPercent } from "../numbers.ts";
import { CHART_WIDTH, type Chart, type ChartText } from "./chart.ts";
import { drawLine, drawText, point } from "./draw.ts";
import { drawHead, drawXAxis, fitScale, MARGIN } from "./frame.ts";
import { noteOn } from "./line-chart.ts";
import { createScale, type Scale } from "./scale.ts";
import { seriesClass } from "./theme.ts";

/** What a histogram shows. */
export interface HistogramOptions extends ChartText {
  /** What is counted, with its unit. */
  readonly label: string;
  /** One panel each, from top to bottom. */
  readonly samples: readonly { readonly label: string; readonly values: ArrayLike<number> }[];
  /** Values above it are flagged; each panel says how many are. */
  readonly threshold?: { readonly value: number; readonly label: string } | undefined;
  /** Bars over the whole axis; 40 when left out. */
  readonly bins?: number | undefined;
}

const PANEL = 76;
const HEADING = 32;

/** Draws the distribution of each sample as shares of its own size: samples of different sizes can be compared. */
export function histogram(options: HistogramOptions): Chart {
  const { title, label, samples, threshold, bins = 40, width = CHART_WIDTH } = options;
  const finite = samples.map(({ values }) => Array.from(values).filter(Number.isFinite));
  const missing = samples.reduce((sum, { values }, i) => sum + values.length - (finite[i]?.length ?? 0), 0);
  const head = drawHead({ title, width, legend: [], note: noteOn(missing) });
  const [left, right] = [MARGIN + 40, width - MARGIN - 20];
  const hasThreshold = threshold !== undefined && Number.isFinite(threshold.value);
  const x = fitScale({
    axis: { label },
    values: hasThreshold ? [...finite.flat(), threshold.value] : finite.flat(),
    left,
    right,
  });
  const counts = finite.map((values) => binned(values, x, bins));
  const shares = counts.map((count, i) => Array.from(count, (hits) => hits / Math.max(finite[i]?.length ?? 0, 1)));
  const top = head.height + (hasThreshold ? 20 : 0);
  const bottom = top + (PANEL + HEADING) * samples.length;
  const highest = shares.flat().reduce((a, b) => Math.max(a, b), 0);
  const panels = samples.map((sample, i) => {
    const base = top + (PANEL + HEADING) * (i + 1);
    const y = createScale({ kind: "share", values: [highest], include: [0], range: [base, base - PANEL], parts: 3 });
    const above = hasThreshold ? aboveText(finite[i] ?? [], threshold.value) : "";
    return fragment(
      drawText(`${sample.label}, ${countText(finite[i] ?? [])}${above}`, left, base - PANEL - 9, {
        class: "b",
        limit: right - left,
      }),
      y.ticks.map((tick) =>
        drawText(`${tick.label} %`, left - 6, y.position(tick.value) + 4, { anchor: "end", class: "f n" }),
      ),
      drawBars(shares[i] ?? [], { left, right, base, y, series: i }),
      drawLine([left, base], [right, base], "thin f"),
      hasThreshold ? drawThreshold(x.position(threshold.value), base) : undefined,
    );
  });
  return {
    title,
    description: options.description ?? describe(options, finite),
    width,
    height: bottom + 40 + MARGIN,
    body: fragment(
      head.marks,
      drawXAxis(x, { top: top + HEADING, bottom }),
      panels,
      hasThreshold ? nameThreshold(x.position(threshold.value), threshold.label, { y: top, left, right }) : undefined,
      drawText(label, (left + right) / 2, bottom + 40, { anchor: "middle", class: "f", limit: right - left }),
    ),
  };
}

/** How many values fall into each of `bins` equal parts of the axis; its upper end belongs to the last part. */
export function binned(values: readonly number[], { domain }: Pick<Scale, "domain">, bins: number): Uint32Array {
  const [low, high] = domain;
  const counts = new Uint32Array(bins);
  for (const value of values) {
    const bin = Math.min(Math.max(Math.floor(((value - low) / (high - low)) * bins), 0), bins - 1);
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return counts;
}

function drawBars(
  shares: readonly number[],
  { left, right, base, y, series }: { left: number; right: number; base: number; y: Scale; series: number },
): Markup {
  const width = (right - left) / shares.length;
  const bars = shares.map((share, i) =>
    share === 0
      ? undefined
      : element("rect", {
          x: left + width * i + 0.5,
          y: Math.min(y.position(share), base - 1),
          width: Math.max(width - 1, 0.5),
          height: Math.max(base - y.position(share), 1),
        }),
  );
  return element("g", { class: `bars ${seriesClass(series)}` }, bars);
}

function drawThreshold(x: number, base: number): Markup {
  return element("path", {
    class: "thin",
    "stroke-dasharray": "5 3",
    d: `M${point(x, base - PANEL - 4)}V${coordinate(base)}`,
  });
}

/** The threshold's name above the first panel, where nothing else is written. */
function nameThreshold(
  x: number,
  label: string,
  { y, left, right }: { readonly y: number; readonly left: number; readonly right: number },
): Markup {
  const isRight = x > (left + right) / 2;
  return fragment(
    element("path", { class: "thin", "stroke-dasharray": "5 3", d: `M${point(x, y - 10)}v14` }),
    drawText(label, isRight ? x - 8 : x + 8, y, {
      anchor: isRight ? "end" : "start",
      class: "f",
      limit: isRight ? x - left : right - x,
    }),
  );
}

function countText({ length }: readonly number[]): string {
  return `${formatCount(length)} ${length === 1 ? "value" : "values"}`;
}

function aboveText(values: readonly number[], threshold: number): string {
  if (values.length === 0) return "";
  const above = values.filter((value) => value > threshold).length;
  return `: ${formatPercent(above / values.length)} above`;
}

function describe({ label, samples, threshold }: HistogramOptions, finite: readonly (readonly number[])[]): string {
  const parts = samples.map((sample, i) => {
    const values = finite[i] ?? [];
    const middle = values.length === 0 ? "" : `, median ${formatFigure(quantile(values, 0.5))}`;
    return `${sample.label}: ${countText(values)}${middle}${threshold ? aboveText(values, threshold.value) : ""}.`;
  });
  const line = threshold === undefined ? "" : ` A threshold is at ${formatFigure(threshold.value)}.`;
  return [`Distribution of ${label}.${line}`, ...parts].join(" ");
}
