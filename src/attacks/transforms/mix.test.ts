import { expect, test } from "vitest";
import { float32 } from "../../tensor/tensor.ts";
import { drawHalves, mixHalves } from "./mix.ts";

const [first, second] = [0, 0.5].map((base) =>
  float32(
    [1, 1, 6, 8],
    Float32Array.from({ length: 48 }, (_, i) => base + i / 128),
  ),
);
const mixed = (draws: readonly number[]): number[][] => {
  if (first === undefined || second === undefined) throw new Error("no images");
  const { data } = mixHalves(first, second, () => drawHalves(draws, { height: 6, width: 8, jitter: 1 }));
  return Array.from({ length: 6 }, (_, row) => [...data.subarray(8 * row, 8 * row + 8)]);
};

test("side by side: the left part is the first image's, the right one the second's", () => {
  for (const row of mixed([0, 0.5, 0, 0, 0])) {
    expect(row.map((value) => value >= 0.5)).toEqual([false, false, false, false, true, true, true, true]);
  }
});

test("one above the other, swapped: the upper rows are the second image's", () => {
  expect(mixed([0.9, 0.5, 0.9, 0, 0]).map((row) => row.every((value) => value >= 0.5))).toEqual([
    true,
    true,
    true,
    false,
    false,
    false,
  ]);
});

test("windows show what was skipped to, and the cut moves by the jitter at most", () => {
  const [row = []] = mixed([0, 0.5, 0, 0.99, 0]);
  expect(row.slice(0, 4)).toEqual([4, 5, 6, 7].map((i) => i / 128));
  const cuts = Array.from(
    { length: 30 },
    (_, i) => drawHalves([0, i / 30, 0, 0, 0], { height: 6, width: 8, jitter: 1 }).cut,
  );
  expect([...new Set(cuts)]).toEqual([3, 4, 5]);
});
