import fc from "fast-check";
import { expect, test } from "vitest";
import { OptionError } from "../core/errors.ts";
import { conformalPValue, conformalThreshold, quantile } from "./conformal.ts";

test("flagged at alpha is the same as a p-value of at most alpha", () => {
  const scores = fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 80 });
  fc.assert(
    fc.property(
      scores,
      fc.integer({ min: -1, max: 41 }),
      fc.integer({ min: 1, max: 99 }),
      (calibration, score, percent) => {
        const { threshold } = conformalThreshold(calibration, percent / 100);
        expect(score > threshold).toBe(conformalPValue(calibration, score) <= percent / 100 + 1e-12);
      },
    ),
  );
});

test("too few clean images flag nothing; rounding does not cost a rank", () => {
  expect(conformalThreshold([1, 2, 3], 0.05)).toEqual({ rank: 4, threshold: Number.POSITIVE_INFINITY });
  expect(conformalThreshold([], 0.05).threshold).toBe(Number.POSITIVE_INFINITY);
  expect(
    conformalThreshold(
      Array.from({ length: 99 }, (_, i) => i + 1),
      0.42,
    ),
  ).toEqual({ rank: 58, threshold: 58 });
});

test("nonsense is refused", () => {
  expect(() => conformalThreshold([1], 0)).toThrow(OptionError);
  expect(() => conformalThreshold([1, Number.NaN], 0.5)).toThrow("NaN");
  expect(() => quantile([], 0.5)).toThrow(OptionError);
  expect(() => quantile([1], 1.5)).toThrow("got 1.5");
});
