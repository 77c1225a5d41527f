/** @file The curve at the end of a training: raw losses, their smooth course, validation and learning rate. */
import { OptionError } from "../core/errors.ts";
import { type Chart, renderSvg, stackCharts } from "./charts/chart.ts";
import { type LineSeries, lineChart, noteOn } from "./charts/line-chart.ts";
import { smoothed } from "./charts/smooth.ts";
import { formatCount, formatFigure } from "./numbers.ts";

/** What was recorded while training. */
export interface LossHistory {
  /** Step of each loss, ascending. */
  readonly steps: ArrayLike<number>;
  readonly losses: ArrayLike<number>;
  /** Loss on images that were not trained on, at some of the steps. */
  readonly validation?: { readonly steps: ArrayLike<number>; readonly losses: ArrayLike<number> } | undefined;
  /** Learning rate of each step; drawn below when it changes. */
  readonly learningRate?: ArrayLike<number> | undefined;
  /** `Training loss` when left out. */
  readonly title?: string | undefined;
}

/** More raw points than these only darken the chart. */
const MOST_DOTS = 2000;
/** Smooth curves average over this share of all steps. */
const SMOOTHING = 0.01;
/** Room for labels such as 0.00005, the same in both charts. */
const LABELS = 56;
/** From this ratio of largest to smallest smooth loss on, the axis is logarithmic. */
const LOG_FROM = 20;

/**
 * The losses of a training as an SVG file: faint raw points, a smooth line through them, validation with its marks, and
 * the learning rate below.
 * @throws OptionError when lists that belong together differ in length.
 */
export function lossChart(history: LossHistory): string {
  return renderSvg(lossCurve(history));
}

/** The same as a chart for a page. @throws OptionError as {@link lossChart}. */
export function lossCurve(history: LossHistory): Chart {
  const { steps, losses, validation, learningRate, title = "Training loss" } = history;
  checkLength("losses", losses, steps);
  if (learningRate !== undefined) checkLength("learning rate", learningRate, steps);
  const smooth = smoothed(losses, Math.max(losses.length * SMOOTHING, 1));
  const isLog = spansDecades(smooth, losses);
  const series: LineSeries[] = [rawDots(steps, losses), { label: "smoothed", x: steps, y: smooth, series: 0 }];
  if (validation !== undefined) {
    series.push({ label: "validation", x: validation.steps, y: validation.losses, shape: "both", series: 1 });
  }
  const loss = lineChart({
    title,
    x: { label: "step" },
    y: isLog ? { label: "loss", kind: "log" } : { label: "loss" },
    series,
    note: noteOn(countNotFinite(losses)),
    labelWidth: LABELS,
  });
  const last = `Training loss over ${formatCount(steps.length)} steps; at the end the smoothed loss is ${formatFigure(smooth.at(-1) ?? null)}.`;
  const best = validation === undefined ? "" : ` Lowest validation loss: ${formatFigure(lowest(validation.losses))}.`;
  const description = `${last}${best}`;
  if (learningRate === undefined || isConstant(learningRate)) return { ...loss, description };
  const rate = lineChart({
    title: "Learning rate",
    x: { label: "step" },
    y: { label: "", include: [0] },
    series: [{ label: "learning rate", x: steps, y: learningRate, series: 5 }],
    plotHeight: 90,
    labelWidth: LABELS,
  });
  return stackCharts({ title, description }, [loss, rate]);
}

function checkLength(what: string, values: ArrayLike<number>, steps: ArrayLike<number>): void {
  if (values.length === steps.length) return;
  throw new OptionError(`${what}: expected ${steps.length} values, one a step, got ${values.length}.`);
}

/** The raw losses, or every so manieth of them. */
function rawDots(steps: ArrayLike<number>, losses: ArrayLike<number>): LineSeries {
  const every = Math.max(Math.ceil(losses.length / MOST_DOTS), 1);
  const chosen = <T>(list: ArrayLike<T>): T[] => Array.from(list).filter((_, i) => i % every === 0);
  const label = every === 1 ? "each step" : `one step in ${formatCount(every)}`;
  return { label, x: chosen(steps), y: chosen(losses), shape: "dots", series: 0 };
}

function spansDecades(smooth: Float64Array, losses: ArrayLike<number>): boolean {
  for (let i = 0; i < losses.length; i++) if ((losses[i] ?? 0) <= 0) return false;
  const finite = smooth.filter(Number.isFinite);
  const high = finite.reduce((a, b) => Math.max(a, b), 0);
  return lowest(finite) * LOG_FROM < high;
}

function countNotFinite(values: ArrayLike<number>): number {
  let count = 0;
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) count++;
  return count;
}

function lowest(values: ArrayLike<number>): number {
  let low = Number.POSITIVE_INFINITY;
  for (let i = 0; i < values.length; i++) low = Math.min(low, values[i] ?? low);
  return low;
}

function isConstant(values: ArrayLike<number>): boolean {
  for (let i = 1; i < values.length; i++) if (values[i] !== values[0]) return false;
  return true;
}
