import { describe, expect, it } from "vitest";
import { blur, gaussianKernel } from "../tensor/filters/blur.ts";
import { concatRows, rowsOf } from "../tensor/rows.ts";
import { type Float32Tensor, float32 } from "../tensor/tensor.ts";
import { gradientSimilarityDeviation } from "./gradient-similarity.ts";

/** A disc on a slope: edges in all directions. */
const scene = float32(
  [1, 3, 24, 20],
  Float32Array.from({ length: 1440 }, (_, i) => {
    const [row, column] = [Math.floor(i / 20) % 24, i % 20];
    return (Math.hypot(row - 11, column - 9) < 6 ? 0.8 : 0.3) + 0.005 * row;
  }),
);
const distance = (image: Float32Tensor): number => gradientSimilarityDeviation(scene, image)[0]!;
const changed = (change: (value: number, i: number) => number): Float32Tensor =>
  float32(scene.dims, scene.data.map(change));

describe("gradient similarity", () => {
  it("is zero for equal images, and does not see a change of brightness", () => {
    expect(distance(scene)).toBe(0);
    expect(distance(changed((value) => value + 0.1))).toBeLessThan(1e-4);
  });

  it("grows with the blur, and is symmetric", () => {
    const blurred = [0.5, 1, 2].map((sigma) => blur(scene, gaussianKernel(9, sigma)));
    const found = blurred.map(distance);
    expect(found).toEqual([...found].sort((x, y) => x - y));
    expect(found[0]).toBeGreaterThan(0);
    expect(gradientSimilarityDeviation(blurred[2]!, scene)[0]).toBeCloseTo(found[2]!, 12);
  });

  it("is what the formula says for one lit pixel of the half-sized image", () => {
    // Half size 6x6: one pixel of value v at (2, 2) has Prewitt gradients at its eight neighbours, none on itself.
    const v = 0.6;
    const lit = float32(
      [1, 1, 12, 12],
      Float32Array.from({ length: 144 }, (_, i) =>
        Math.floor(i / 24) === 2 && Math.floor((i % 12) / 2) === 2 ? v : 0,
      ),
    );
    const c = 170 / 255 ** 2;
    const similarity = (length: number): number => c / (length ** 2 + c);
    const map = [
      ...new Array<number>(4).fill(similarity(v / 3)),
      ...new Array<number>(4).fill(similarity((Math.SQRT2 * v) / 3)),
      ...new Array<number>(28).fill(1),
    ];
    const mean = map.reduce((sum, value) => sum + value, 0) / 36;
    const deviation = Math.sqrt(map.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 35);
    expect(gradientSimilarityDeviation(float32([1, 1, 12, 12]), lit)[0]).toBeCloseTo(deviation, 6);
  });

  it("looks at each pair alone", () => {
    const other = changed((value, i) => (i % 7 === 0 ? 1 - value : value));
    const [a, b] = [concatRows([scene, other]), concatRows([other, scene])];
    const together = gradientSimilarityDeviation(a, b);
    expect(together[1]).toBe(gradientSimilarityDeviation(rowsOf(a, 1, 2), rowsOf(b, 1, 2))[0]);
    expect(together[0]).toBeCloseTo(together[1]!, 12);
  });

  it("refuses images of other dims or too small", () => {
    expect(() => gradientSimilarityDeviation(scene, float32([1, 3, 24, 24]))).toThrow(/two batches of equal dims/);
    const tiny = float32([1, 1, 3, 9]);
    expect(() => gradientSimilarityDeviation(tiny, tiny)).toThrow(/expected at least 4 pixels a side, got 3x9/);
  });
});
