/** @file From values to pixels: linear, logarithmic, and shares (0..1, written in percent). */
import { linearTicks, logTicks, type Tick } from "./ticks.ts";

/** How values are laid out: `share` takes fractions 0..1 and writes percent. */
export type ScaleKind = "linear" | "log" | "share";

/** An axis in numbers. */
export interface Scale {
  readonly kind: ScaleKind;
  /** Values at both ends: the first and the last tick. */
  readonly domain: readonly [low: number, high: number];
  readonly ticks: readonly Tick[];
  /** Pixel of a value; values outside the domain stand at its end. NaN where the scale has no place for it. */
  position(value: number): number;
}

/** What a scale spans. */
export interface ScaleOptions {
  readonly kind: ScaleKind;
  /** The values to show; those that are not finite, or not above 0 on a log scale, are ignored. */
  readonly values: Iterable<number>;
  /** Ends that are at least shown, whatever the values are; 0 and 1 for shares when left out. */
  readonly include?: readonly number[] | undefined;
  /** Pixels of the low and of the high end. */
  readonly range: readonly [from: number, to: number];
  /** The most parts between ticks. */
  readonly parts: number;
}

/** Beyond this a difference of two values is no longer a number. */
const LARGEST = 1e300;

/** A scale whose ends are round numbers around the values. */
export function createScale({ kind, values, include, range, parts }: ScaleOptions): Scale {
  const [low, high] = extent(kind, values, include ?? (kind === "share" ? [0, 1] : []));
  const ticks = ticksOf(kind, low, high, parts);
  const domain = [ticks[0]?.value ?? low, ticks.at(-1)?.value ?? high] as const;
  const along = kind === "log" ? Math.log10 : (value: number) => value;
  const [start, span] = [along(domain[0]), along(domain[1]) - along(domain[0])];
  const [from, to] = range;
  return {
    kind,
    domain,
    ticks,
    position(value) {
      if (!isShown(kind, value)) return Number.NaN;
      const share = (along(value) - start) / span;
      return from + (to - from) * Math.min(Math.max(share, 0), 1);
    },
  };
}

/** Whether a scale has a place for a value. */
export function isShown(kind: ScaleKind, value: number): boolean {
  return Number.isFinite(value) && (kind !== "log" || value > 0);
}

function ticksOf(kind: ScaleKind, low: number, high: number, parts: number): Tick[] {
  if (kind === "log") return logTicks(low, high, parts);
  if (kind === "linear") return linearTicks(low, high, parts);
  return linearTicks(100 * low, 100 * high, parts).map(({ value, label }) => ({ value: value / 100, label }));
}

/** Lowest and highest value, made different where they are the same. */
function extent(kind: ScaleKind, values: Iterable<number>, include: readonly number[]): [number, number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  const widen = (value: number): void => {
    if (!isShown(kind, value)) return;
    low = Math.min(low, value);
    high = Math.max(high, value);
  };
  for (const value of values) widen(value);
  for (const value of include) widen(value);
  if (low > high) return kind === "log" ? [1, 10] : [0, 1];
  const smallest = kind === "log" ? 1 / LARGEST : -LARGEST;
  low = Math.min(Math.max(low, smallest), LARGEST);
  high = Math.min(Math.max(high, smallest), LARGEST);
  if (kind === "log") return [low, high];
  // Narrower than rounding can tell apart: one step wide, around the value.
  const size = Math.max(Math.abs(low), Math.abs(high));
  if (high - low > Math.max(1e-9 * size, 1e-300)) return [low, high];
  const half = size < 1e-300 ? 0.5 : size / 10;
  return [low - half, high + half];
}
