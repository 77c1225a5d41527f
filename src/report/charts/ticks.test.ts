import fc from "fast-check";
import { expect, test } from "vitest";
import { linearTicks, logTicks } from "./ticks.ts";

const parts = fc.integer({ min: 1, max: 20 });
const number = fc.double({ min: -1e12, max: 1e12, noNaN: true });

test("linear ticks enclose the range with even round steps and labels that differ", () => {
  fc.assert(
    fc.property(number, fc.double({ min: 1e-6, max: 1e12, noNaN: true }), parts, (low, span, most) => {
      const high = low + Math.max(span, Math.abs(low) * 1e-6);
      const ticks = linearTicks(low, high, most);
      const values = ticks.map(({ value }) => value);
      const step = (high - low) * 1e-6;
      expect(values[0]).toBeLessThanOrEqual(low + step);
      expect(values.at(-1)).toBeGreaterThanOrEqual(high - step);
      // One part more than asked for at each end, where the range does not begin on a tick.
      expect(ticks.length - 1).toBeLessThanOrEqual(most + 2);
      expect(new Set(ticks.map(({ label }) => label)).size).toBe(ticks.length);
      values.slice(1).forEach((value, i) => {
        expect(value).toBeGreaterThan(values[i] ?? value);
      });
    }),
  );
});

test("labels have the decimals of their step", () => {
  expect(linearTicks(0, 1, 5).map(({ label }) => label)).toEqual(["0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
  expect(linearTicks(-3, 3, 3).map(({ label }) => label)).toEqual(["−4", "−2", "0", "2", "4"]);
  expect(linearTicks(0, 20_000, 2).map(({ label }) => label)).toEqual(["0", "10,000", "20,000"]);
  expect(linearTicks(0, 2e-5, 2).map(({ label }) => label)).toEqual(["0", "10⁻⁵", "2×10⁻⁵"]);
});

test("log ticks enclose the range, ascend, and are few", () => {
  const positive = fc.double({ min: 1e-100, max: 1e100, noNaN: true });
  fc.assert(
    fc.property(positive, fc.double({ min: 1, max: 1e50, noNaN: true }), parts, (low, ratio, most) => {
      const high = low * ratio;
      const ticks = logTicks(low, high, most);
      const values = ticks.map(({ value }) => value);
      expect(values.length).toBeGreaterThanOrEqual(2);
      expect(values[0]).toBeLessThanOrEqual(low * (1 + 1e-6));
      expect(values.at(-1)).toBeGreaterThanOrEqual(high * (1 - 1e-6));
      expect(values.length).toBeLessThanOrEqual(most + 4);
      expect(new Set(ticks.map(({ label }) => label)).size).toBe(ticks.length);
      expect([...values].sort((a, b) => a - b)).toEqual(values);
    }),
  );
});

test("log ticks are powers of ten, with doubles and fives where there is room", () => {
  expect(logTicks(0.001, 0.3, 4).map(({ label }) => label)).toEqual(["0.001", "0.01", "0.1", "1"]);
  expect(logTicks(0.003, 0.03, 9).map(({ label }) => label)).toEqual(["0.002", "0.005", "0.01", "0.02", "0.05"]);
  expect(logTicks(5, 5, 5).map(({ value }) => value)).toEqual([2, 5, 10]);
  expect(logTicks(1e-8, 1e8, 4).map(({ label }) => label)).toEqual(["10⁻⁸", "0.0001", "1", "10,000", "10⁸"]);
});
