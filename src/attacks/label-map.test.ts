import { expect, test } from "vitest";
import { OptionError } from "../core/errors.ts";
import { labelMapOf, labelMapSchema, singleTarget, targetOf } from "./label-map.ts";

const choose = (labels: "all-to-one" | "all-to-all" | "source-to-target", target: number, sources: number[] = []) =>
  labelMapOf("attack", { labels, target, sources }, 10);

test("each map names the class that an image is to be called", () => {
  const [one, all, some] = [choose("all-to-one", 3), choose("all-to-all", 0), choose("source-to-target", 3, [1, 1, 5])];
  expect([0, 3, 9].map((label) => targetOf(one, label))).toEqual([3, 3, 3]);
  expect([0, 3, 9].map((label) => targetOf(all, label))).toEqual([1, 4, 0]);
  expect([0, 1, 5].map((label) => targetOf(some, label))).toEqual([undefined, 3, 3]);
  expect([one, all, some].map(singleTarget)).toEqual([3, undefined, 3]);
  for (const map of [one, all, some]) expect(labelMapSchema.parse(JSON.parse(JSON.stringify(map)))).toEqual(map);
});

test.each([
  ["expected target from 0 to 9, got 10", "all-to-one", 10, []],
  ["expected sources from 0 to 9, got 12", "source-to-target", 1, [12]],
  ["expected sources with labels source-to-target, got none", "source-to-target", 1, []],
  ["expected sources other than the target, got 1 as both", "source-to-target", 1, [0, 1]],
  ["expected no sources with labels all-to-all, got 2. Do choose labels source-to-target", "all-to-all", 1, [2]],
] as const)("%s", (sentence, labels, target, sources) => {
  expect(() => choose(labels, target, [...sources])).toThrow(OptionError);
  expect(() => choose(labels, target, [...sources])).toThrow(sentence);
});
