/**
 * @file How numbers are written on every page and chart: one place, so that two pages never round the same figure in two
 * ways. `null` and NaN, which stand for what could not be measured, are a dash everywhere.
 */
import { type Count, rate } from "../metrics/count.ts";
import { type Interval, wilsonInterval } from "../metrics/intervals.ts";

/** What stands where nothing was measured. */
export const NOT_MEASURED = "–";

/** A count that may bring its own 95 % interval; Wilson's is computed for one that does not. */
export type CountWithInterval = Count & Partial<Interval>;

/**
 * A share with its 95 % interval: `88.0 % (85.1–90.5)`; a dash for `null` and when nothing was counted.
 * @throws OptionError for an impossible count.
 */
export function formatShare(count: CountWithInterval | null): string {
  if (count === null || count.total === 0) return NOT_MEASURED;
  const { low, high } = intervalOf(count);
  return `${formatPercent(rate(count))} (${percent(low)}–${percent(high)})`;
}

/** The 95 % interval of a count: its own, or Wilson's. @throws OptionError for an impossible count. */
export function intervalOf(count: CountWithInterval): Interval {
  const { low, high } = count;
  return low === undefined || high === undefined ? wilsonInterval(count) : { low, high };
}

/** A share 0..1 as `88.0 %`. */
export function formatPercent(share: number | null): string {
  return isMeasured(share) ? `${percent(share)} %` : NOT_MEASURED;
}

/** A duration in the unit that reads best: `233 µs`, `17.9 ms`, `1.63 s`, `2 min 05 s`, `1 h 03 min`. */
export function formatSeconds(seconds: number | null): string {
  if (!isMeasured(seconds)) return NOT_MEASURED;
  if (seconds === 0) return "0 s";
  const value = Number(seconds.toPrecision(3));
  if (value < 1e-3) return `${significant(value * 1e6)} µs`;
  if (value < 1) return `${significant(value * 1e3)} ms`;
  if (value < 60) return `${significant(value)} s`;
  const whole = Math.round(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60)];
  if (hours === 0) return `${minutes} min ${twoDigits(whole % 60)} s`;
  return `${formatCount(hours)} h ${twoDigits(minutes)} min`;
}

/** A size in decimal units: `512 B`, `1.80 MB`. */
export function formatBytes(bytes: number | null): string {
  if (!isMeasured(bytes)) return NOT_MEASURED;
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  const order = bytes < 1000 ? 0 : Math.floor(Math.log10(Number(bytes.toPrecision(3))) / 3);
  const unit = Math.min(order, units.length - 1);
  const value = bytes / 1000 ** unit;
  return `${unit === 0 ? formatCount(value) : significant(value)} ${units[unit]}`;
}

/** A p-value: three decimals below 0.1, two above; never "0". */
export function formatPValue(p: number | null): string {
  if (!isMeasured(p)) return NOT_MEASURED;
  if (p < 0.001) return "< 0.001";
  return p.toFixed(p < 0.1 ? 3 : 2);
}

/** A whole number with separated thousands: `12,000`. */
export function formatCount(count: number | null): string {
  return isMeasured(count) ? grouped(Math.round(count).toFixed(0)) : NOT_MEASURED;
}

/** Calls an image: whole, or with one decimal where they differ between images. */
export function formatCalls(calls: number | null): string {
  if (!isMeasured(calls)) return NOT_MEASURED;
  return grouped(Number.isInteger(calls) ? calls.toFixed(0) : calls.toFixed(1));
}

/** A unitless figure such as an AUROC, with three decimals. */
export function formatDecimal(value: number | null): string {
  return isMeasured(value) ? value.toFixed(3) : NOT_MEASURED;
}

/** A figure with three significant digits; as a power of ten where it would be long. */
export function formatFigure(value: number | null): string {
  if (!isMeasured(value)) return NOT_MEASURED;
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e-3 && size < 1e6) return significant(value);
  const [mantissa = "", exponent = ""] = value.toExponential(2).split("e");
  return `${mantissa}×10${superscript(Number(exponent))}`;
}

/** An exponent as raised digits: `-5` becomes `⁻⁵`. */
export function superscript(exponent: number): string {
  return String(exponent).replaceAll(/[-\d]/g, (digit) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(digit)] ?? digit);
}

/** Digits with a comma before every third: of the whole part only. */
export function grouped(digits: string): string {
  const [whole = "", ...decimals] = digits.split(".");
  return [whole.replaceAll(/\B(?=(\d{3})+$)/g, ","), ...decimals].join(".");
}

function percent(share: number): string {
  return (100 * share).toFixed(1);
}

/** Three significant digits, without an exponent. */
function significant(value: number): string {
  const rounded = Number(value.toPrecision(3));
  const decimals = Math.max(2 - Math.floor(Math.log10(Math.abs(rounded))), 0);
  return grouped(rounded.toFixed(decimals));
}

function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}

function isMeasured(value: number | null): value is number {
  return value !== null && Number.isFinite(value);
}
