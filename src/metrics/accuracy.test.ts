import { expect, test } from "vitest";
import { ShapeError } from "../core/errors.ts";
import { float32 } from "../tensor/tensor.ts";
import { attackSuccess, cleanAccuracy, poisonedAccuracy, ranks, untriggeredFloor, winners } from "./accuracy.ts";
import { rate } from "./count.ts";

// winners: 0, 2, 0, 1
const scores = float32([4, 3], [0.9, 0.1, 0, 0.2, 0.3, 0.5, 0.6, 0.3, 0.1, 0.1, 0.7, 0.2]);
const labels = [0, 2, 1, 2];

test("winners and ranks; of equal scores the lower class wins", () => {
  expect([...winners(scores)]).toEqual([0, 2, 0, 1]);
  expect([...ranks(scores, [0, 0, 1, 2])]).toEqual([0, 2, 1, 1]);
  const tied = float32([2, 3], [1, 1, 0, 0, 1, 1]);
  expect([...winners(tied)]).toEqual([0, 1]);
  expect([...ranks(tied, [1, 1])]).toEqual([1, 0]);
});

test("clean accuracy counts labels among the best", () => {
  expect(cleanAccuracy(scores, labels)).toEqual({ hits: 2, total: 4 });
  expect(cleanAccuracy(scores, labels, 2)).toEqual({ hits: 4, total: 4 });
});

test("attack success and poisoned accuracy leave out images of the target unless asked", () => {
  expect(attackSuccess(scores, labels, 0)).toEqual({ hits: 1, total: 3 });
  expect(attackSuccess(scores, labels, 0, { includeTarget: true })).toEqual({ hits: 2, total: 4 });
  expect(attackSuccess(scores, labels, 0, { topK: 2 })).toEqual({ hits: 1, total: 3 });
  expect(poisonedAccuracy(scores, labels, 0)).toEqual({ hits: 1, total: 3 });
  expect(poisonedAccuracy(scores, labels, 0, { includeTarget: true })).toEqual({ hits: 2, total: 4 });
});

test("a target per image, for all-to-all attacks", () => {
  expect(attackSuccess(scores, labels, [1, 0, 0, 1])).toEqual({ hits: 2, total: 4 });
  expect(attackSuccess(scores, labels, [0, 2, 0, 1])).toEqual({ hits: 2, total: 2 });
});

test("the floor is the attack success of images without a trigger", () => {
  expect(untriggeredFloor(scores, labels, 1)).toEqual({ hits: 1, total: 3 });
});

test("a share of nothing is not a number, and null in JSON", () => {
  const nothing = attackSuccess(scores, [0, 0, 0, 0], 0);
  expect(nothing).toEqual({ hits: 0, total: 0 });
  expect(JSON.stringify(rate(nothing))).toBe("null");
});

test("classes that do not fit are refused with the numbers", () => {
  expect(() => cleanAccuracy(scores, [0, 1])).toThrow(ShapeError);
  expect(() => cleanAccuracy(scores, [0, 1, 2, 3])).toThrow("expected a class below 3 for image 3, got 3");
});
