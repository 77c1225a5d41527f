import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RuntimeFailure } from "../../core/errors.ts";
import { createNoise } from "../../core/noise.ts";
import { float32 } from "../../tensor/tensor.ts";
import { frechetDistance } from "./distance.ts";
import { eigenvaluesInPlace, factorOf, tridiagonal } from "./kernels.ts";
import { type FeatureStatistics, gatherFeatures } from "./statistics.ts";

const draw = (n: number, seed: number): Float32Array => createNoise(seed, [[0, 0]])(0, "features", 0, n);

/** Statistics of `n` features of size `d`, in batches. */
function gathered(features: Float32Array, d: number, batch: number): FeatureStatistics {
  const gatherer = gatherFeatures(d);
  for (let from = 0; from < features.length; from += batch * d) {
    const rows = features.subarray(from, from + batch * d);
    gatherer.add(float32([rows.length / d, d], rows));
  }
  expect(gatherer.count).toBe(features.length / d);
  return gatherer.statistics();
}

/** A diagonal Gaussian. */
const diagonalGaussian = (mean: readonly number[], variances: readonly number[]): FeatureStatistics => ({
  mean: Float64Array.from(mean),
  covariance: Float64Array.from(mean.flatMap((_, i) => mean.map((__, j) => (i === j ? variances[i]! : 0)))),
});

describe("feature statistics", () => {
  it("are the same in batches of any size, far from zero too", () => {
    const features = draw(60 * 5, 1).map((value, i) => 1000 + value + (i % 5));
    const whole = gathered(features, 5, 60);
    for (const batch of [1, 7, 59]) {
      const parts = gathered(features, 5, batch);
      expect(parts.mean).toBeAllclose(whole.mean, { rtol: 1e-12 });
      expect(parts.covariance).toBeAllclose(whole.covariance, { atol: 1e-8 });
    }
    const column = Float64Array.from({ length: 60 }, (_, i) => features[i * 5]!);
    const mean = column.reduce((sum, value) => sum + value, 0) / 60;
    const variance = column.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 59;
    expect([whole.mean[0]!, whole.covariance[0]!]).toBeAllclose([mean, variance], { rtol: 1e-9 });
  });

  it("refuse features of another size, and one image", () => {
    const gatherer = gatherFeatures(3);
    expect(() => gatherer.add(float32([2, 4]))).toThrow("features: expected [N, 3], got [2, 4].");
    gatherer.add(float32([1, 3]));
    expect(() => gatherer.statistics()).toThrow("features: expected at least 2 images, got 1.");
  });
});

describe("Frechet distance", () => {
  it("of diagonal Gaussians is a sum over axes", () => {
    const a = diagonalGaussian([0, 1, 2], [1, 4, 0]);
    const b = diagonalGaussian([1, 1, 0], [9, 1, 0]);
    expect(frechetDistance(a, b)).toBeCloseTo(1 + 4 + 4 + 1, 12);
    expect(frechetDistance(a, a)).toBeCloseTo(0, 12);
  });

  it("does not change when both are turned, and is symmetric", () => {
    const d = 12;
    const [a, b] = [
      gathered(draw(40 * d, 2), d, 40),
      gathered(
        draw(30 * d, 3).map((x) => 2 * x + 1),
        d,
        30,
      ),
    ];
    const distance = frechetDistance(a, b);
    expect(frechetDistance(b, a)).toBeCloseTo(distance, 8);
    // A reflection about a random direction.
    const v = draw(d, 4);
    const squares = v.reduce((sum, value) => sum + value * value, 0);
    const mirror = (i: number, j: number): number => (i === j ? 1 : 0) - (2 * v[i]! * v[j]!) / squares;
    const axes = [...Array(d).keys()];
    const dot = (f: (k: number) => number): number => axes.reduce((sum, k) => sum + f(k), 0);
    const turned = ({ mean, covariance }: FeatureStatistics): FeatureStatistics => {
      const half = axes.flatMap((i) => axes.map((j) => dot((k) => mirror(i, k) * covariance[k * d + j]!)));
      return {
        mean: Float64Array.from(axes, (i) => dot((k) => mirror(i, k) * mean[k]!)),
        covariance: Float64Array.from(
          axes.flatMap((i) => axes.map((j) => dot((k) => half[i * d + k]! * mirror(k, j)))),
        ),
      };
    };
    expect(frechetDistance(turned(a), turned(b))).toBeCloseTo(distance, 8);
  });

  it("refuses sizes that differ and numbers that are not finite", () => {
    const a = diagonalGaussian([0, 1], [1, 1]);
    expect(() => frechetDistance(a, diagonalGaussian([0], [1]))).toThrow("frechet: expected 2 numbers, got 1.");
    expect(() => frechetDistance(a, diagonalGaussian([Number.NaN, 0], [1, 1]))).toThrow(RuntimeFailure);
    expect(() => frechetDistance(a, diagonalGaussian([0, 0], [Number.NaN, 1]))).toThrow(RuntimeFailure);
  });
});

describe("linear algebra", () => {
  const symmetric = (values: readonly number[], n: number): Float64Array =>
    Float64Array.from({ length: n * n }, (_, i) => values[Math.min(i, (i % n) * n + Math.floor(i / n))]!);

  it("finds eigenvalues whose sums of powers are the matrix's traces", () => {
    const size = fc.integer({ min: 1, max: 12 });
    fc.assert(
      fc.property(size, fc.nat(1e6), (n, seed) => {
        const s = symmetric([...draw(n * n, seed)], n);
        const { diagonal, beside } = tridiagonal(s.slice(), n);
        expect(eigenvaluesInPlace(diagonal, beside)).toBe(true);
        const sum = (power: number) => diagonal.reduce((total, value) => total + value ** power, 0);
        const trace = Array.from({ length: n }, (_, i) => s[i * n + i]!).reduce((total, value) => total + value, 0);
        const squares = s.reduce((total, value) => total + value * value, 0);
        expect([sum(1), sum(2)]).toBeAllclose([trace, squares], { atol: 1e-10, rtol: 1e-10 });
      }),
    );
  });

  it("factors matrices of less than full rank", () => {
    const rows = [...draw(2 * 6, 8)];
    const product = Float64Array.from({ length: 36 }, (_, i) => {
      const [row, column] = [Math.floor(i / 6), i % 6];
      return rows[row]! * rows[column]! + rows[6 + row]! * rows[6 + column]!;
    });
    const { rank, rows: factor } = factorOf(product.slice(), 6);
    expect(rank).toBe(2);
    const again = product.map((_, i) => {
      const [row, column] = [Math.floor(i / 6), i % 6];
      return factor[row]! * factor[column]! + factor[6 + row]! * factor[6 + column]!;
    });
    expect(again).toBeAllclose(product, { atol: 1e-12 });
  });
});
