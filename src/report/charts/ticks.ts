/**
 * @file Round numbers along an axis: steps of 1, 2 or 5 times a power of ten, and the labels that they need.
 */
import { grouped, superscript } from "../numbers.ts";

/** Ticks of an axis: the values, from low to high, each with its label. */
export interface Tick {
  readonly value: number;
  readonly label: string;
}

/** The step of 1, 2 or 5 times a power of ten that cuts a span into at most `most` parts. @param span above 0. */
export function niceStep(span: number, most: number): number {
  const power = 10 ** Math.floor(Math.log10(span / most));
  return power * ([1, 2, 5, 10].find((factor) => span / (power * factor) <= most * (1 + 1e-9)) ?? 10);
}

/**
 * Round values from the last one at or below `low` to the first one at or above `high`.
 * @param most parts between them, at least 1. @returns at least two ticks, one step apart.
 */
export function linearTicks(low: number, high: number, most: number): Tick[] {
  const step = niceStep(high - low, Math.max(most, 1));
  // Multiples of a step such as 0.1 are only right up to rounding: 1e-9 of a step must not add one.
  const [first, last] = [Math.floor(low / step + 1e-9), Math.ceil(high / step - 1e-9)];
  return Array.from({ length: Math.max(last - first, 1) + 1 }, (_, i) => {
    const value = Number(((first + i) * step).toPrecision(12));
    return { value, label: tickLabel(value, step) };
  });
}

/**
 * Powers of ten around a range, with their doubles and fives when they are few.
 * @param low above 0. @param most parts. @returns at least two ticks.
 */
export function logTicks(low: number, high: number, most: number): Tick[] {
  const [first, last] = [Math.floor(Math.log10(low) + 1e-9), Math.ceil(Math.log10(high) - 1e-9)];
  const decades = Math.max(last - first, 1);
  const factors = [[1, 2, 5], [1, 3], [1]].find((some) => decades * some.length <= most) ?? [1];
  const every = Math.ceil(decades / Math.max(most, 1));
  const values: number[] = [];
  for (let exponent = first; exponent <= first + every * Math.ceil(decades / every); exponent += every) {
    for (const factor of factors) values.push(Number(`${factor}e${exponent}`));
  }
  const from = values.findLastIndex((value) => value <= low * (1 + 1e-9));
  const to = values.findIndex((value) => value >= high * (1 - 1e-9));
  const kept = values.slice(Math.max(Math.min(from, to - 1), 0), Math.max(from + 1, to) + 1);
  return kept.filter(Number.isFinite).map((value) => ({ value, label: powerLabel(value, 6) }));
}

/** A value with as many decimals as its step has; powers of ten where plain digits would be long. */
function tickLabel(value: number, step: number): string {
  if (value === 0) return "0";
  const size = Math.max(Math.abs(value), step);
  const digits = Math.floor(Math.log10(size)) - Math.floor(Math.log10(step) + 1e-9) + 1;
  if (digits <= 6 && (size >= 1e6 || size < 1e-4)) return powerLabel(value, digits);
  const decimals = Math.max(-Math.floor(Math.log10(step) + 1e-9), 0);
  return withMinus(grouped(value.toFixed(Math.min(decimals, 100))));
}

function powerLabel(value: number, digits: number): string {
  const size = Math.abs(value);
  if (size >= 1e-4 && size < 1e5) return withMinus(grouped(String(value)));
  const [mantissa = "", exponent = ""] = Number(value.toPrecision(digits)).toExponential().split("e");
  const power = `10${superscript(Number(exponent))}`;
  return withMinus(mantissa === "1" ? power : `${mantissa}×${power}`);
}

function withMinus(label: string): string {
  return label.replace("-", "−");
}
