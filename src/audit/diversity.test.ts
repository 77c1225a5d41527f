import { expect, it } from "vitest";
import { float32 } from "../tensor/tensor.ts";
import { agreement, diversity, meanImage } from "./diversity.ts";

it("is the mean squared difference over all pairs", () => {
  const images = float32([3, 1, 1, 2], [0, 0.2, 0.5, 0.4, 1.7, -1]);
  const rows = [
    [0, 0.2],
    [0.5, 0.4],
    [1, 0],
  ] as const;
  const pairs = [
    [0, 1],
    [0, 2],
    [1, 2],
  ] as const;
  const apart = pairs.map(([i, j]) => ((rows[i][0] - rows[j][0]) ** 2 + (rows[i][1] - rows[j][1]) ** 2) / 2);
  expect(diversity(images)).toBeCloseTo(apart.reduce((sum, value) => sum + value, 0) / 3, 6);
  expect([...meanImage(images).data]).toEqual([expect.closeTo(0.5), expect.closeTo(0.2)]);
  expect(diversity(float32([1, 1, 1, 2], [0, 1]))).toBe(0);
});

it("tells one picture from many, and from none", () => {
  const noise = (scale: number, base: readonly number[]) =>
    float32(
      [6, 1, 2, 2],
      Float32Array.from({ length: 24 }, (_, i) => (base[i % 4] ?? 0) + scale * Math.sin(7 * i + 1)),
    );
  expect(agreement(noise(0.001, [0.1, 0.9, 0.5, 0.2]))).toBeGreaterThan(4);
  expect(agreement(noise(0.3, [0.5, 0.5, 0.5, 0.5]))).toBeLessThan(0);
  expect(agreement(noise(0, [0, 0, 0, 0]))).toBe(0);
});
