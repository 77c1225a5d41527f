import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { regionsOf } from "./components.ts";
import { distanceTransform } from "./distance-transform.ts";
import type { Mask } from "./mask.ts";
import { closing, dilate, erode, opening } from "./morphology.ts";
import { otsuThreshold } from "./otsu.ts";

const mask = (height: number, width: number, data: readonly number[]): Mask => ({
  dtype: "uint8",
  dims: [height, width],
  data: Uint8Array.from(data),
});

/** Masks of any small size. */
const masks = fc
  .tuple(fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 7 }))
  .chain(([h, w]) =>
    fc.array(fc.integer({ min: 0, max: 1 }), { minLength: h * w, maxLength: h * w }).map((data) => mask(h, w, data)),
  );
const isWithin = (inner: Mask, outer: Mask): boolean => inner.data.every((value, i) => value <= outer.data[i]!);

describe("morphology", () => {
  it("orders masks: eroded, opened, itself, closed, dilated", () => {
    fc.assert(
      fc.property(masks, fc.constantFrom("cross" as const, "square" as const), (m, neighbours) => {
        const options = { neighbours, outside: "neutral" } as const;
        const chain = [erode(m, options), opening(m, options), m, closing(m, options), dilate(m, options)];
        for (const [i, outer] of chain.slice(1).entries()) expect(isWithin(chain[i]!, outer)).toBe(true);
        expect(opening(opening(m, options), options).data).toEqual(opening(m, options).data);
        expect(closing(closing(m, options), options).data).toEqual(closing(m, options).data);
      }),
    );
  });

  it("takes any byte for one", () => {
    expect([...dilate(mask(1, 3, [0, 255, 0])).data]).toEqual([1, 1, 1]);
    expect(() => erode({ dtype: "uint8", dims: [4], data: new Uint8Array(4) })).toThrow(
      "morphology: expected a mask [H, W], got [4].",
    );
  });
});

describe("regions", () => {
  it("counts every pixel once", () => {
    fc.assert(
      fc.property(masks, (m) => {
        const [edges, corners] = [regionsOf(m, { neighbours: "cross" }), regionsOf(m)];
        const ones = m.data.reduce((sum, value) => sum + value, 0);
        for (const { regions, labels } of [edges, corners]) {
          expect(regions.reduce((sum, { size }) => sum + size, 0)).toBe(ones);
          expect([...labels.data].map((label) => Math.sign(label))).toEqual([...m.data]);
        }
        expect(corners.regions.length).toBeLessThanOrEqual(edges.regions.length);
      }),
    );
  });

  it("does not run out of stack on one large region", () => {
    const side = 600;
    const { regions } = regionsOf(mask(side, side, new Array<number>(side * side).fill(1)));
    expect(regions).toEqual([{ size: side * side, centroid: [(side - 1) / 2, (side - 1) / 2] }]);
  });
});

describe("distance transform", () => {
  it("is the distance to the nearest zero", () => {
    fc.assert(
      fc.property(masks, (m) => {
        const w = m.dims[1]!;
        const zeros = [...m.data.keys()].filter((i) => m.data[i] === 0);
        const nearest = [...m.data.keys()].map((i) =>
          Math.min(...zeros.map((j) => Math.hypot(Math.floor(i / w) - Math.floor(j / w), (i % w) - (j % w)))),
        );
        expect(distanceTransform(m).data).toBeAllclose(nearest, { atol: 1e-12 });
      }),
    );
  });
});

describe("otsu", () => {
  it("parts two groups, whatever the scale", () => {
    const values = Uint8Array.of(10, 12, 11, 200, 205, 13);
    const threshold = otsuThreshold(values);
    expect(threshold).toBe(13);
    const scaled = otsuThreshold(Float64Array.from(values, (value) => value * 3 - 7));
    expect(scaled).toBeGreaterThan(3 * 13 - 7 - 3);
    expect(scaled).toBeLessThan(3 * 200 - 7);
  });

  it("puts equal values into one group, and refuses none", () => {
    expect(otsuThreshold(Uint8Array.of(5, 5))).toBe(5);
    expect(() => otsuThreshold(new Float32Array())).toThrow("otsu: expected finite values, got none.");
    expect(() => otsuThreshold(Float32Array.of(0, Number.POSITIVE_INFINITY))).toThrow(/got 0 to Infinity/);
  });
});
