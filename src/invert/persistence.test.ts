import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { regionsOf } from "../metrics/regions/components.ts";
import { tensor } from "../tensor/tensor.ts";
import { brightComponents } from "./persistence.ts";

/** Regions of the pixels that are at least as bright. */
function labelsAt(values: readonly number[], width: number, threshold: number): Int32Array {
  const data = Uint8Array.from(values, (value) => Number(value >= threshold));
  return regionsOf(tensor("uint8", [values.length / width, width], data), { neighbours: "cross" }).labels.data;
}

describe("brightComponents", () => {
  it("finds two hills and the saddle between them", () => {
    const map = [0.1, 0.9, 0.1, 0.2, 0.4, 0.2, 0, 0.7, 0.3];
    const [first, second, ...others] = brightComponents(map, 3);
    expect(first).toEqual({ birth: 1, death: 6, persistence: 0.9 });
    expect(second).toMatchObject({ birth: 7, death: 4 });
    expect(second!.persistence).toBeCloseTo(0.3, 12);
    expect(others).toEqual([]);
  });

  it("has one component on flat and monotone maps, and none without pixels", () => {
    expect(brightComponents([5, 5, 5, 5], 2)).toEqual([{ birth: 0, death: 3, persistence: 0 }]);
    expect(brightComponents([4, 3, 2, 1], 4)).toEqual([{ birth: 0, death: 3, persistence: 3 }]);
    expect(brightComponents([], 3)).toEqual([]);
  });

  it("counts, for every pair of levels, the regions of the higher that live on in the lower", () => {
    const maps = fc
      .record({ width: fc.integer({ min: 1, max: 5 }), height: fc.integer({ min: 1, max: 5 }) })
      .chain(({ width, height }) =>
        fc
          .array(fc.integer({ min: 0, max: 6 }), { minLength: width * height, maxLength: width * height })
          .map((values) => ({ width, values })),
      );
    void fc.assert(
      fc.property(maps, ({ width, values }) => {
        const components = brightComponents(values, width);
        const lowest = Math.min(...values);
        for (let high = 0; high <= 6; high++) {
          for (let low = lowest; low <= high; low++) {
            const [above, below] = [labelsAt(values, width, high), labelsAt(values, width, low)];
            const living = new Set(below.filter((_, i) => above[i] !== 0));
            // The oldest never dies; the others live above the value at which they meet an older one.
            const counted = components.filter(
              ({ birth, death }, i) => values[birth]! >= high && (i === 0 || values[death]! < low),
            );
            expect(counted.length).toBe(living.size);
          }
        }
      }),
      { numRuns: 150 },
    );
  });
});
