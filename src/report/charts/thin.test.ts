import fc from "fast-check";
import { expect, test } from "vitest";
import { thinned } from "./thin.ts";

const long = fc
  .array(fc.double({ min: 0, max: 300, noNaN: true }), { minLength: 1600, maxLength: 4000 })
  .map((ys) => ys.map((y, i) => [(i / ys.length) * 600, i % 997 === 5 ? Number.NaN : y] as const));

test("each column of pixels keeps its extremes and its gaps, and little else", () => {
  fc.assert(
    fc.property(long, (points) => {
      const kept = thinned(points);
      expect(kept.length).toBeLessThanOrEqual(points.length);
      const columns = (list: readonly (readonly [number, number])[]): Map<number, [number, number, number]> => {
        const all = new Map<number, [number, number, number]>();
        for (const [x, y] of list) {
          const [low, high, gaps] = all.get(Math.floor(x)) ?? [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];
          const gap = Number.isNaN(y);
          all.set(Math.floor(x), gap ? [low, high, gaps + 1] : [Math.min(low, y), Math.max(high, y), gaps]);
        }
        return all;
      };
      expect(columns(kept)).toEqual(columns(points));
      expect(kept.map(([x]) => x)).toEqual(kept.map(([x]) => x).sort((a, b) => a - b));
    }),
    { numRuns: 20 },
  );
});

test("a hundred thousand points become a few thousand; few stay as they are", () => {
  const many = Array.from({ length: 100_000 }, (_, i) => [i / 200, Math.sin(i)] as const);
  expect(thinned(many).length).toBeLessThanOrEqual(4 * 501);
  const few = many.slice(0, 1000);
  expect(thinned(few)).toBe(few);
});
