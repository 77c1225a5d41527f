import fc from "fast-check";
import { expect, test } from "vitest";
import { smoothed } from "./smooth.ts";

const span = fc.double({ min: 0.1, max: 50, noNaN: true });

test("is the weighted mean around each value", () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: -10, max: 10, noNaN: true }), { maxLength: 30 }), span, (values, span) => {
      const direct = values.map((_, i) => {
        const weights = values.map((_, j) => Math.exp(-Math.abs(i - j) / span));
        const sum = weights.reduce((a, w, j) => a + w * (values[j] ?? 0), 0);
        return sum / weights.reduce((a, b) => a + b, 0);
      });
      expect(smoothed(values, span)).toBeAllclose(direct, { atol: 1e-9 });
    }),
  );
});

test("does not lag: reversed values give the reversed curve, and a constant stays", () => {
  const values = [1, 5, 2, 8, 3, 3, 9];
  expect([...smoothed(values.toReversed(), 2)]).toBeAllclose(smoothed(values, 2).toReversed(), { atol: 1e-12 });
  expect(smoothed([4, 4, 4], 3)).toBeAllclose([4, 4, 4], { atol: 1e-12 });
});

test("values that are not finite weigh nothing", () => {
  const [a, b, c] = smoothed([1, Number.NaN, 3], 5);
  expect(b).toBeCloseTo(2);
  expect((a ?? 0) + (c ?? 0)).toBeCloseTo(4);
  expect(smoothed([Number.NaN], 1)).toEqual(Float64Array.of(Number.NaN));
  expect(smoothed([], 1)).toHaveLength(0);
});
