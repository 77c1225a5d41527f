import { expect, test } from "vitest";
import { OptionError } from "../core/errors.ts";
import { mcNemar, wilcoxon } from "./paired.ts";

test("McNemar's test does not care which method is first", () => {
  expect(mcNemar(3, 11)).toEqual(mcNemar(11, 3));
  expect(() => mcNemar(-1, 3)).toThrow(OptionError);
});

test("three positive differences: one of eight sign patterns", () => {
  expect(wilcoxon([1, 2, 3], { distribution: "exact", alternative: "greater" })).toEqual({ statistic: 6, p: 1 / 8 });
  expect(wilcoxon([1, -2, 3], { distribution: "exact" })).toEqual({ statistic: 2, p: 6 / 8 });
});

test("the exact test refuses ties and zeros; no difference at all is refused", () => {
  expect(() => wilcoxon([1, 1, 2], { distribution: "exact" })).toThrow('Do use "normal"');
  expect(() => wilcoxon([0, 1, 2], { distribution: "exact" })).toThrow(OptionError);
  expect(() => wilcoxon([0, 0], { distribution: "normal" })).toThrow("got none");
});
