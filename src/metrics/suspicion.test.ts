import { expect, test } from "vitest";
import { ShapeError } from "../core/errors.ts";
import { float32 } from "../tensor/tensor.ts";
import { labelChanges, largestResidual, softmaxShift } from "./suspicion.ts";

const before = float32([2, 2], [1, 0, 0.25, 0.75]);

test("softmax shift: L1 over the classes, mean over the votes", () => {
  const votes = [float32([2, 2], [0, 1, 0.25, 0.75]), float32([2, 2], [0.5, 0.5, 0.75, 0.25])];
  expect([...softmaxShift(before, votes)]).toEqual([1.5, 0.5]);
});

test("label changes: share of the votes with another winner", () => {
  const votes = [float32([2, 2], [0, 1, 0, 1]), float32([2, 2], [1, 0, 0, 1])];
  expect([...labelChanges(before, votes)]).toEqual([0.5, 0]);
});

test("votes of other dims, and none, are refused", () => {
  expect(() => softmaxShift(before, [])).toThrow("got 0 votes");
  expect(() => labelChanges(before, [float32([2, 3])])).toThrow(ShapeError);
});

test("largest residual: a 3x3 patch counts fully, a pixel by one ninth, channels are averaged", () => {
  const clean = float32([3, 2, 5, 5]);
  const changed = float32([3, 2, 5, 5]);
  for (const channel of [0, 1]) {
    for (const y of [2, 3, 4]) for (const x of [2, 3, 4]) changed.data[channel * 25 + 5 * y + x] = 0.5;
  }
  changed.data[50 + 12] = 0.9; // image 1, one channel of the middle
  expect(largestResidual(clean, changed)).toBeAllclose([0.5, 0.05, 0], { atol: 1e-7 });
});

test("largest residual of images below 3 pixels, and of NaN", () => {
  expect([...largestResidual(float32([1, 1, 1, 2]), float32([1, 1, 1, 2], [0.5, 0]))]).toEqual([0.25]);
  expect(
    largestResidual(float32([1, 1, 3, 3]), float32([1, 1, 3, 3], new Float32Array(9).fill(Number.NaN)))[0],
  ).toBeNaN();
  expect(() => largestResidual(float32([1, 1, 3, 3]), float32([1, 1, 3, 4]))).toThrow(ShapeError);
});
