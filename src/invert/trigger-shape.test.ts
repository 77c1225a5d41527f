import { describe, expect, it } from "vitest";
import { type MapCost, rootMean, scattered, spread } from "./trigger-shape.ts";

const size = { height: 5, width: 7 };
const map = Array.from({ length: 35 }, (_, i) => 0.5 + 0.45 * Math.sin(1 + 2.3 * i));

describe.each<[string, (values: readonly number[]) => MapCost]>([
  ["rootMean", rootMean],
  ["spread", (values) => spread(values, size)],
  ["scattered", (values) => scattered(values, size, 4)],
])("%s", (_, costOf) => {
  it("has the derivative that central differences show", () => {
    const { gradient } = costOf(map);
    const saddles = new Set<number>();
    for (const [i, slope] of gradient.entries()) {
      const moved = (step: number) => costOf(map.map((value, k) => (k === i ? value + step : value))).cost;
      const difference = (moved(1e-5) - moved(-1e-5)) / 2e-5;
      // Saddles change the persistence too; the derivative leaves them out by intention.
      if (slope === 0 && difference < 0) saddles.add(i);
      else expect(slope).toBeCloseTo(difference, 5);
    }
    expect(saddles.size).toBeLessThan(map.length / 2);
  });
});

describe("what they mean", () => {
  it("a compact blob is cheaper than two, and one component costs nothing", () => {
    const blobs = (...pixels: number[]) => Array.from({ length: 35 }, (_, i) => (pixels.includes(i) ? 0.9 : 0.1));
    expect(spread(blobs(9, 10), size).cost).toBeLessThan(spread(blobs(0, 34), size).cost);
    expect(scattered(blobs(9, 10), size, 20).cost).toBe(0);
    expect(scattered(blobs(9, 12), size, 20).cost).toBeCloseTo(0.64, 12);
    expect(rootMean(new Array<number>(9).fill(0.25)).cost).toBe(0.5);
  });

  it("nothing is far from nothing", () => {
    const nothing = new Array<number>(35).fill(0);
    for (const { cost, gradient } of [rootMean(nothing), spread(nothing, size), scattered(nothing, size, 20)]) {
      expect(cost).toBe(0);
      expect(gradient.every((slope) => slope === 0)).toBe(true);
    }
  });
});
