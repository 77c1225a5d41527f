/** @file Mean and covariance of features, batch by batch: memory for one matrix, whatever the number of images. */
import { OptionError, ShapeError } from "../../core/errors.ts";
import { formatDims } from "../../tensor/shape.ts";
import type { RealTensor } from "../../tensor/tensor.ts";
import { outerInto, scatterInto } from "./kernels.ts";

/** A Gaussian that is fitted to features. */
export interface FeatureStatistics {
  /** [D] */
  readonly mean: Float64Array;
  /** [D, D] */
  readonly covariance: Float64Array;
}

/** Gathers features. */
export interface FeatureGatherer {
  /** Adds features [N, D] of N images. @throws ShapeError when D differs. */
  add(features: RealTensor): void;
  /** How many images there were. */
  readonly count: number;
  /** Mean and unbiased covariance of all so far. @throws OptionError below two images. */
  statistics(): FeatureStatistics;
}

/**
 * Begins to gather features of `size` numbers an image. The order of batches does not matter, but for rounding.
 * @source Chan, Golub, LeVeque 1983, "Algorithms for computing the sample variance", eq. 2.1, for vectors.
 */
export function gatherFeatures(size: number): FeatureGatherer {
  const mean = new Float64Array(size);
  const scatter = new Float64Array(size * size);
  let count = 0;
  return {
    add(features) {
      const [n = 0, d] = features.dims;
      if (features.dims.length !== 2 || d !== size) {
        throw new ShapeError(`features: expected [N, ${size}], got ${formatDims(features.dims)}.`);
      }
      if (n === 0) return;
      const own = new Float64Array(size);
      scatterInto(own, scatter, features.data);
      const apart = own.map((value, i) => value - (mean[i] ?? 0));
      outerInto(scatter, apart, (count * n) / (count + n));
      count += n;
      for (const [i, step] of apart.entries()) mean[i] = (mean[i] ?? 0) + (step * n) / count;
    },
    get count() {
      return count;
    },
    statistics() {
      if (count < 2) throw new OptionError(`features: expected at least 2 images, got ${count}.`);
      return { mean: mean.slice(), covariance: scatter.map((value) => value / (count - 1)) };
    },
  };
}
