/** @file What a chart is, before it is a file or part of a page. */
import { element, fragment, type Markup } from "../markup.ts";
import { chartCss } from "./theme.ts";

/** A drawn chart. Pixels are those of its own coordinate system; it is scaled where it is shown. */
export interface Chart {
  /** What it shows, in a few words; drawn on top. */
  readonly title: string;
  /** The same for those who cannot see it: what is on the axes, and what comes out. */
  readonly description: string;
  readonly width: number;
  readonly height: number;
  readonly body: Markup;
}

/** Everybody's choice: what a chart says about itself. */
export interface ChartText {
  readonly title: string;
  /** For those who cannot see the chart; made from its data when left out. */
  readonly description?: string | undefined;
  /** Pixels; 720 when left out. */
  readonly width?: number | undefined;
}

/** Width of charts that are not told theirs. */
export const CHART_WIDTH = 720;

/** A chart as an SVG file that stands alone: light, dark and printed. The same data give the same text. */
export function renderSvg(chart: Chart): string {
  return `${svgElement(chart, { xmlns: "http://www.w3.org/2000/svg" }, element("style", {}, { markup: chartCss() })).markup}\n`;
}

/** A chart as part of a page that has the style sheet of charts. */
export function inlineSvg(chart: Chart): Markup {
  return svgElement(chart, {}, undefined);
}

function svgElement(chart: Chart, more: Readonly<Record<string, string>>, style: Markup | undefined): Markup {
  const { title, description, width, height, body } = chart;
  return element(
    "svg",
    {
      ...more,
      class: "chart",
      role: "img",
      viewBox: `0 0 ${Math.ceil(width)} ${Math.ceil(height)}`,
      width: Math.ceil(width),
      height: Math.ceil(height),
    },
    element("title", {}, title),
    element("desc", {}, description),
    style,
    element("rect", { class: "paper", width: Math.ceil(width), height: Math.ceil(height) }),
    body,
  );
}

/** Charts above each other as one. */
export function stackCharts(
  text: { readonly title: string; readonly description: string },
  charts: readonly Chart[],
): Chart {
  let height = 0;
  const parts = charts.map((chart) => {
    const part = element("g", { transform: `translate(0 ${Math.ceil(height)})` }, chart.body);
    height += chart.height;
    return part;
  });
  return {
    ...text,
    width: Math.max(...charts.map(({ width }) => width), 1),
    height: Math.max(height, 1),
    body: fragment(parts),
  };
}
