import fc from "fast-check";
import { expect, test } from "vitest";
import { OptionError, ShapeError } from "../core/errors.ts";
import { auroc, averagePrecision, rocCurve } from "./detection.ts";

const samples = fc.array(fc.record({ score: fc.integer({ min: 0, max: 9 }), dirty: fc.boolean() }), { maxLength: 60 });

test("AUROC is the share of pairs in the right order, ties one half", () => {
  fc.assert(
    fc.property(samples, (items) => {
      const scores = items.map(({ score }) => score);
      const dirty = items.map(({ dirty }) => dirty);
      const pairs = items.flatMap((a) =>
        items.filter((b) => a.dirty && !b.dirty).map((b) => Math.sign(a.score - b.score)),
      );
      const share = pairs.reduce<number>((sum, sign) => sum + (sign + 1) / 2, 0) / pairs.length;
      expect(auroc(scores, dirty)).toBe(share);
    }),
  );
});

test("thresholds of the curve give its rates", () => {
  const scores = [3, 1, 2, 2, 5];
  const dirty = [true, false, true, false, true];
  const { fpr, tpr, thresholds } = rocCurve(scores, dirty);
  thresholds.forEach((threshold, i) => {
    expect(tpr[i]).toBe(scores.filter((s, j) => dirty[j] && s >= threshold).length / 3);
    expect(fpr[i]).toBe(scores.filter((s, j) => !dirty[j] && s >= threshold).length / 2);
  });
});

test("a class without images leaves nothing to measure", () => {
  expect(auroc([1, 2], [true, true])).toBeNaN();
  expect(averagePrecision([1, 2], [false, false])).toBeNaN();
  expect(auroc([], [])).toBeNaN();
});

test("lengths that differ and NaN are refused", () => {
  expect(() => auroc([1, 2], [true])).toThrow(ShapeError);
  expect(() => rocCurve([1, Number.NaN], [true, false])).toThrow(OptionError);
});
