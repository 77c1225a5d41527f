import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { everyIndex, jumpsOver, linGrid, spacedIndices, trailGrid } from "./grids.ts";

describe("purifiers' grids", () => {
  it("trail and lin are NumPy's linspace, rounded half to even, without repeats", () => {
    expect(trailGrid(199, 4)).toEqual([199, 149, 100, 50]);
    expect(linGrid(199, 4)).toEqual([199, 133, 66, 0]);
    expect(linGrid(99, 10)).toEqual([99, 88, 77, 66, 55, 44, 33, 22, 11, 0]);
    expect(linGrid(5, 3)).toEqual([5, 2, 0]);
    expect(trailGrid(2, 10)).toEqual([2, 1, 0]);
    expect(linGrid(199, 1)).toEqual([199]);
    expect(everyIndex(3)).toEqual([3, 2, 1, 0]);
  });

  it("start at the start, descend, and never leave the schedule", () => {
    fc.assert(
      fc.property(fc.nat(999), fc.integer({ min: 1, max: 1500 }), (start, steps) => {
        for (const indices of [trailGrid(start, steps), linGrid(start, steps)]) {
          expect(indices[0]).toBe(start);
          expect(indices.length).toBeLessThanOrEqual(steps);
          expect(indices.every((index, k) => index >= 0 && index < (indices[k - 1] ?? 1000))).toBe(true);
        }
      }),
      { numRuns: 100 },
    );
  });

  it("make jumps that end on the clean image, or where they are told", () => {
    expect(jumpsOver([7, 3])).toEqual([
      { from: 7, to: 3 },
      { from: 3, to: -1 },
    ]);
    expect(jumpsOver([7], 2)).toEqual([{ from: 7, to: 2 }]);
  });

  it.each([
    [-1, 4, "start: expected an index from 0 up, got -1."],
    [1.5, 4, "start: expected an index from 0 up, got 1.5."],
    [9, 0, "steps: expected an integer from 1 up, got 0."],
    [9, 2.5, "steps: expected an integer from 1 up, got 2.5."],
  ])("refuse start %f with %f steps", (start, steps, message) => {
    expect(() => trailGrid(start, steps)).toThrow(message);
    expect(() => linGrid(start, steps)).toThrow(message);
  });
});

describe("spacedIndices", () => {
  it("spaces as diffusers does", () => {
    expect(spacedIndices(1000, 4, "leading")).toEqual([750, 500, 250, 0]);
    expect(spacedIndices(1000, 4, "leading", 1)).toEqual([751, 501, 251, 1]);
    expect(spacedIndices(1000, 4, "trailing")).toEqual([999, 749, 499, 249]);
    expect(spacedIndices(1000, 4, "linspace")).toEqual([999, 666, 333, 0]);
  });

  it("refuses more steps than there are", () => {
    expect(() => spacedIndices(10, 11, "leading")).toThrow("steps: expected at most 10");
  });
});
