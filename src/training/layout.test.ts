import { describe, expect, test } from "vitest";
import { FormatError } from "../core/errors.ts";
import { float32, int64, type Tensor } from "../tensor/tensor.ts";
import { gatherInto, layoutOf, viewsOf } from "./layout.ts";

const tensors = new Map<string, Tensor>([
  ["b", float32([2, 2], [1, 2, 3, 4])],
  ["a", float32([], [5])],
  ["empty", float32([0, 3], [])],
  ["c", float32([3], [6, 7, 8])],
]);
const layout = layoutOf(tensors);

describe("layout", () => {
  test("lays tensors out one behind the other, as given", () => {
    expect(layout.size).toBe(8);
    expect(layout.slots.map(({ name, from, to }) => [name, from, to])).toEqual([
      ["b", 0, 4],
      ["a", 4, 5],
      ["empty", 5, 5],
      ["c", 5, 8],
    ]);
  });

  test("gathers, and shows the same tensors as views", () => {
    const flat = new Float32Array(layout.size);
    gatherInto(flat, layout, (name) => tensors.get(name));
    expect(flat).toEqual(Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8));
    const views = viewsOf(layout, flat);
    expect(views).toEqual(Object.fromEntries(tensors));
    flat[7] = 9;
    expect(views["c"]?.data[2]).toBe(9);
  });

  test.each<[string, Tensor | undefined, string]>([
    ["one that is missing", undefined, 'training: expected "a" as float32 [], got none.'],
    ["other dims", float32([1], [5]), 'training: expected "a" as float32 [], got float32 [1].'],
    ["another type", int64([], [5]), 'training: expected "a" as float32 [], got int64 [].'],
  ])("refuses %s", (_case, other, sentence) => {
    const read = (name: string): Tensor | undefined => (name === "a" ? other : tensors.get(name));
    const gather = (): void => gatherInto(new Float32Array(layout.size), layout, read);
    expect(gather).toThrow(sentence);
    expect(gather).toThrow(FormatError);
  });
});
