/** @file The Fréchet distance between two Gaussians; with the features of Inception v3 it is known as FID. */
import { RuntimeFailure, ShapeError } from "../../core/errors.ts";
import { congruent, eigenvaluesInPlace, factorOf, tridiagonal } from "./kernels.ts";
import type { FeatureStatistics } from "./statistics.ts";

/**
 * `|m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2))`. Which features, and how many images, belong to every such number: it is
 * biased upwards when there are few.
 * @returns 0 or more. @throws ShapeError when sizes differ, RuntimeFailure when numbers are not finite.
 * @source Heusel et al. 2017, "GANs Trained by a Two Time-Scale Update Rule", eq. 6, https://arxiv.org/abs/1706.08500.
 * The trace of the root is the sum of the roots of the eigenvalues of L^T S2 L, where S1 = L L^T: a symmetric matrix, so
 * that ill-conditioned covariances give no imaginary parts to cut away.
 */
export function frechetDistance(a: FeatureStatistics, b: FeatureStatistics): number {
  const d = a.mean.length;
  for (const [length, expected] of [
    [b.mean.length, d],
    [a.covariance.length, d * d],
    [b.covariance.length, d * d],
  ] as const) {
    if (length !== expected) throw new ShapeError(`frechet: expected ${expected} numbers, got ${length}.`);
  }
  const { rank, rows } = factorOf(a.covariance.slice(), d);
  const { diagonal, beside } = tridiagonal(congruent(rows, b.covariance, rank, d), rank);
  const apart = a.mean.reduce((sum, value, i) => sum + (value - (b.mean[i] ?? Number.NaN)) ** 2, 0);
  const trace = ({ covariance }: FeatureStatistics): number =>
    a.mean.reduce((sum, _, i) => sum + (covariance[i * d + i] ?? Number.NaN), 0);
  const isFound = eigenvaluesInPlace(diagonal, beside);
  const roots = diagonal.reduce((sum, value) => sum + Math.sqrt(Math.max(value, 0)), 0);
  const distance = apart + trace(a) + trace(b) - 2 * roots;
  if (!isFound || !Number.isFinite(distance)) {
    throw new RuntimeFailure("frechet: expected finite means and covariances, got others.");
  }
  return Math.max(distance, 0);
}
