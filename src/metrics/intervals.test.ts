import fc from "fast-check";
import { expect, test } from "vitest";
import { OptionError } from "../core/errors.ts";
import { betaQuantile, binomialDensity, incompleteBeta } from "./beta.ts";
import { clopperPearsonInterval, wilsonInterval } from "./intervals.ts";

const counts = fc
  .tuple(fc.integer({ min: 1, max: 3000 }), fc.double({ min: 0, max: 1, noNaN: true }))
  .map(([total, share]) => ({ hits: Math.round(share * total), total }));

test("every interval holds the share itself, and is the mirror image of the misses' interval", () => {
  fc.assert(
    fc.property(counts, fc.constantFrom(0.2, 0.05, 0.001), (count, alpha) => {
      for (const interval of [wilsonInterval, clopperPearsonInterval]) {
        const { low, high } = interval(count, { alpha });
        const mirror = interval({ hits: count.total - count.hits, total: count.total }, { alpha });
        const share = count.hits / count.total;
        expect(low <= share && share <= high && low >= 0 && high <= 1).toBe(true);
        expect([1 - mirror.high, 1 - mirror.low]).toBeAllclose([low, high], { atol: 1e-12 });
      }
    }),
    { numRuns: 60 },
  );
});

test("one side at alpha is that side of two at twice alpha", () => {
  const count = { hits: 37, total: 50 };
  for (const interval of [wilsonInterval, clopperPearsonInterval]) {
    const both = interval(count, { alpha: 0.1 });
    expect(interval(count, { alpha: 0.05, side: "lower" })).toEqual({ low: both.low, high: 1 });
    expect(interval(count, { alpha: 0.05, side: "upper" })).toEqual({ low: 0, high: both.high });
  }
});

test("a Clopper-Pearson bound is the share under which the tail has probability alpha", () => {
  const { low } = clopperPearsonInterval({ hits: 8, total: 10 }, { alpha: 0.05, side: "lower" });
  const tail = [8, 9, 10].reduce((sum, k) => sum + binomialDensity(k, 10, low), 0);
  expect([tail]).toBeAllclose([0.05], { rtol: 1e-12 });
});

test("the incomplete beta function is the binomial tail, and its quantile undoes it", () => {
  const tail = (n: number, k: number, p: number): number =>
    Array.from({ length: n - k + 1 }, (_, i) => binomialDensity(k + i, n, p)).reduce((a, b) => a + b, 0);
  for (const [n, k, p] of [
    [1, 1, 0.3],
    [12, 3, 0.4],
    [200, 130, 0.6],
    [1000, 10, 0.002],
  ] as const) {
    expect([incompleteBeta(p, k, n - k + 1)]).toBeAllclose([tail(n, k, p)], { rtol: 1e-12 });
  }
  expect([incompleteBeta(betaQuantile(0.01, 2.5, 40), 2.5, 40)]).toBeAllclose([0.01], { rtol: 1e-12 });
  // B(1/2, 1/2) is the arcsine law.
  expect([incompleteBeta(0.2, 0.5, 0.5)]).toBeAllclose([(2 / Math.PI) * Math.asin(Math.sqrt(0.2))], { rtol: 1e-12 });
});

test("nothing counted rules nothing out; nonsense is refused", () => {
  expect(wilsonInterval({ hits: 0, total: 0 })).toEqual({ low: 0, high: 1 });
  expect(clopperPearsonInterval({ hits: 0, total: 0 })).toEqual({ low: 0, high: 1 });
  for (const count of [
    { hits: 3, total: 2 },
    { hits: -1, total: 2 },
    { hits: 0.5, total: 2 },
  ]) {
    expect(() => wilsonInterval(count)).toThrow(OptionError);
    expect(() => clopperPearsonInterval(count)).toThrow(OptionError);
  }
  expect(() => wilsonInterval({ hits: 1, total: 2 }, { alpha: 1 })).toThrow("between 0 and 1, got 1");
});
