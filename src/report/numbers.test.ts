import fc from "fast-check";
import { expect, test } from "vitest";
import { OptionError } from "../core/errors.ts";
import { wilsonInterval } from "../metrics/intervals.ts";
import {
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

test("a share is written with its interval", () => {
  expect(formatShare({ hits: 440, total: 500 })).toBe("88.0 % (84.9–90.6)");
  expect(formatShare({ hits: 1, total: 2, low: 0.1, high: 0.9 })).toBe("50.0 % (10.0–90.0)");
  const { low, high } = wilsonInterval({ hits: 0, total: 500 });
  expect(formatShare({ hits: 0, total: 500 })).toBe(formatShare({ hits: 0, total: 500, low, high }));
  expect(() => formatShare({ hits: 3, total: 2 })).toThrow(OptionError);
});

test("what was not measured is a dash everywhere", () => {
  expect(formatShare({ hits: 0, total: 0 })).toBe(NOT_MEASURED);
  expect(formatShare(null)).toBe(NOT_MEASURED);
  const all = [formatPercent, formatSeconds, formatBytes, formatPValue, formatCount, formatCalls, formatDecimal];
  for (const format of [...all, formatFigure]) {
    for (const nothing of [null, Number.NaN, Number.POSITIVE_INFINITY]) expect(format(nothing)).toBe(NOT_MEASURED);
  }
});

test("durations change their unit where they read better, also where rounding carries them over", () => {
  const cases: readonly (readonly [number, string])[] = [
    [0, "0 s"],
    [2.329e-4, "233 µs"],
    [0.0009999, "1.00 ms"],
    [0.0179, "17.9 ms"],
    [0.9999, "1.00 s"],
    [1.6276, "1.63 s"],
    [59.96, "1 min 00 s"],
    [125, "2 min 05 s"],
    [3599.6, "1 h 00 min"],
    [3_780_000, "1,050 h 00 min"],
  ];
  for (const [seconds, text] of cases) expect(formatSeconds(seconds)).toBe(text);
});

test("sizes, counts, calls and p-values", () => {
  expect([512, 999.9, 1_800_000, 999_999, 2.5e9].map(formatBytes)).toEqual([
    "512 B",
    "1,000 B",
    "1.80 MB",
    "1.00 MB",
    "2.50 GB",
  ]);
  expect([0, 999, 12_000, 1_234_567].map(formatCount)).toEqual(["0", "999", "12,000", "1,234,567"]);
  expect([12, 12.25, 1240].map(formatCalls)).toEqual(["12", "12.3", "1,240"]);
  expect([0, 0.00099, 0.032, 0.25, 1].map(formatPValue)).toEqual(["< 0.001", "< 0.001", "0.032", "0.25", "1.00"]);
});

test("figures keep three digits at any size", () => {
  fc.assert(
    fc.property(fc.double({ min: -1e12, max: 1e12, noNaN: true }), (value) => {
      const text = formatFigure(value);
      const digits = text
        .replaceAll(",", "")
        .replace(
          /×10(.+)$/,
          (_, power: string) => `e${[...power].map((c) => (c === "⁻" ? "-" : "⁰¹²³⁴⁵⁶⁷⁸⁹".indexOf(c))).join("")}`,
        );
      expect(Math.abs(Number(digits) - value)).toBeLessThanOrEqual(Math.abs(value) * 0.00501);
      expect(text.length).toBeLessThan(16);
    }),
  );
});
