/** @file Public door of `report/`: charts and pages from data, as SVG, HTML, Markdown and CSV. */
export { type AuditPageOptions, auditPage } from "./audit-page.ts";
export { benchCsv } from "./bench-csv.ts";
export { type BenchPageOptions, benchPage } from "./bench-page.ts";
export { type Chart, type ChartText, inlineSvg, renderSvg, stackCharts } from "./charts/chart.ts";
export type { Axis } from "./charts/frame.ts";
export { type HeatTableOptions, heatTable } from "./charts/heat-table.ts";
export { type HistogramOptions, histogram } from "./charts/histogram.ts";
export {
  type IntervalChartOptions,
  type IntervalRow,
  type IntervalValue,
  intervalChart,
} from "./charts/interval-chart.ts";
export { type LineChartOptions, type LineSeries, lineChart } from "./charts/line-chart.ts";
export { type ScatterChartOptions, type ScatterPoint, scatterChart } from "./charts/scatter-chart.ts";
export { smoothed } from "./charts/smooth.ts";
export { escapeMarkdown, escapeMarkup } from "./escape.ts";
export { type LossHistory, lossChart, lossCurve } from "./loss-chart.ts";
export {
  type CountWithInterval,
  formatBytes,
  formatCalls,
  formatCount,
  formatDecimal,
  formatFigure,
  formatPercent,
  formatPValue,
  formatSeconds,
  formatShare,
  NOT_MEASURED,
} from "./numbers.ts";
export { pageFiles } from "./page/files.ts";
export { renderHtml } from "./page/html.ts";
export { renderMarkdown } from "./page/markdown.ts";
export {
  type Block,
  badge,
  type Cell,
  type Column,
  code,
  codeBlock,
  details,
  type Figure,
  facts,
  figure,
  heading,
  type Inline,
  link,
  list,
  type Page,
  type PagePicture,
  type Pictures,
  paragraph,
  pictures,
  strong,
  type Table,
  type Text,
  type Tone,
  table,
  verdict,
} from "./page/tree.ts";
export { type ScanPageOptions, scanPage } from "./scan-page.ts";
