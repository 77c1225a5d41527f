/**
 * @file Structural similarity, as maps and as means. Libraries disagree about the border, the window and the variance,
 * so each of these is an option; {@link ssimConventions} names the combinations that libraries use.
 */
import { ShapeError } from "../core/errors.ts";
import { formatDims, imageDims, sameDims } from "../tensor/shape.ts";
import type { RealTensor, TensorOf } from "../tensor/tensor.ts";
import { type SsimPlane, ssimPlaneInto, ssimScratch } from "./kernels.ts";

/** How the image continues beyond its border: `symmetric` repeats the edge pixel when it mirrors, `mirror` does not. */
export type SsimPadding = "symmetric" | "mirror" | "edge" | "zero";

/** Settings of an SSIM. */
export interface SsimOptions {
  /** Largest minus smallest possible value, L in C1 = (.01 L)² and C2 = (.03 L)²; 1 when left out. */
  readonly dataRange?: number;
  /** 11 Gaussian taps of deviation 1.5 (the default), or 7 equal ones. */
  readonly window?: "gaussian11" | "uniform7";
  readonly padding?: SsimPadding;
  /** Multiplies variances by n / (n - 1) for a window of n pixels, as scikit-image does by default. */
  readonly sampleCovariance?: boolean;
  /** Raises variances below 0, which are rounding noise, to 0. */
  readonly clampVariance?: boolean;
  /** `float32` rounds every intermediate result, as the libraries do on float32 images; `float64` when left out. */
  readonly precision?: "float32" | "float64";
}

/** What the libraries do. scikit-image and torchmetrics leave the window's radius (5 pixels, 3 for `uniform7`) of border out of their mean. */
export const ssimConventions = {
  scikitImage: { padding: "symmetric", sampleCovariance: true },
  scikitImagePopulation: { padding: "symmetric", sampleCovariance: false },
  scikitImageUniform: { padding: "symmetric", sampleCovariance: true, window: "uniform7" },
  torchmetrics: { padding: "mirror", sampleCovariance: false, clampVariance: true },
  pytorchSsim: { padding: "zero", sampleCovariance: false },
} as const satisfies Record<string, SsimOptions>;

/**
 * The SSIM of every pixel and channel.
 * @param a images [N, C, H, W]. @param b the same dims. @param options scikit-image's conventions when left out.
 * @returns float64 [N, C, H, W], because with a data range of 255 on unit images only the last digits say anything.
 * @throws ShapeError when the dims differ, or an axis is too short to be mirrored.
 * @source Wang et al. 2004, "Image quality assessment: from error visibility to structural similarity", equation 13.
 */
export function ssimMap(
  a: RealTensor,
  b: RealTensor,
  options: SsimOptions = ssimConventions.scikitImage,
): TensorOf<"float64"> {
  const { n, c, h, w } = imageDims("ssim", a.dims);
  if (!sameDims(a.dims, b.dims)) {
    throw new ShapeError(
      `ssim: expected two batches of equal dims, got ${formatDims(a.dims)} and ${formatDims(b.dims)}.`,
    );
  }
  const { dataRange = 1, window = "gaussian11", padding = "symmetric" } = options;
  const taps = windows[window]();
  const radius = windowRadius(window);
  const single = options.precision === "float32";
  const area = taps.length ** 2;
  const plane: SsimPlane = {
    height: h,
    width: w,
    taps,
    rows: paddedIndices(h, radius, padding),
    columns: paddedIndices(w, radius, padding),
    c1: single ? Math.fround((0.01 * dataRange) ** 2) : (0.01 * dataRange) ** 2,
    c2: single ? Math.fround((0.03 * dataRange) ** 2) : (0.03 * dataRange) ** 2,
    correction: (options.sampleCovariance ?? false) ? area / (area - 1) : 1,
    clampVariance: options.clampVariance ?? false,
    scratch: ssimScratch(h, w, single),
  };
  const data = new Float64Array(a.data.length);
  for (let i = 0; i < n * c; i++) ssimPlaneInto(data, a.data, b.data, i * h * w, plane);
  return { dtype: "float64", dims: a.dims, data };
}

/**
 * The mean SSIM of every image, over channels and pixels.
 * @param options as for {@link ssimMap}; `crop` pixels of border are left out of the mean (0 when left out).
 * @returns one number per image. @throws ShapeError as {@link ssimMap}, or when the crop leaves nothing.
 */
export function ssim(
  a: RealTensor,
  b: RealTensor,
  options: SsimOptions & { readonly crop?: number } = ssimConventions.scikitImage,
): Float64Array {
  const { n, c, h, w } = imageDims("ssim", a.dims);
  const { crop = 0 } = options;
  if (Math.min(h, w) <= 2 * crop) {
    throw new ShapeError(`ssim: expected more than ${2 * crop} rows and columns because of the crop, got ${h}x${w}.`);
  }
  const map = ssimMap(a, b, options);
  const count = c * (h - 2 * crop) * (w - 2 * crop);
  return Float64Array.from({ length: n }, (_, image) => {
    let sum = 0;
    for (let row = image * c * h; row < (image + 1) * c * h; row++) {
      if (row % h < crop || row % h >= h - crop) continue;
      for (const value of map.data.subarray(row * w + crop, (row + 1) * w - crop)) sum += value;
    }
    return sum / count;
  });
}

/** Pixels on either side of a window's centre. */
function windowRadius(window: NonNullable<SsimOptions["window"]>): number {
  return window === "gaussian11" ? 5 : 3;
}

const windows = {
  gaussian11(): Float64Array {
    const weights = Float64Array.from({ length: 11 }, (_, i) => Math.exp(-((i - 5) ** 2) / (2 * 1.5 ** 2)));
    const sum = weights.reduce((total, weight) => total + weight);
    return weights.map((weight) => weight / sum);
  },
  uniform7(): Float64Array {
    return new Float64Array(7).fill(1 / 7);
  },
};

/** Which row (or column) of the image stands for each one of the padded image; -1 for none. */
function paddedIndices(size: number, radius: number, padding: SsimPadding): Int32Array {
  const shortest = padding === "mirror" ? radius + 1 : 1;
  if (size < shortest) {
    throw new ShapeError(
      `ssim: expected at least ${shortest} pixels along each axis with ${padding} padding, got ${size}.`,
    );
  }
  return Int32Array.from({ length: size + 2 * radius }, (_, i) => {
    const at = i - radius;
    if (at >= 0 && at < size) return at;
    switch (padding) {
      case "zero":
        return -1;
      case "edge":
        return at < 0 ? 0 : size - 1;
      case "mirror":
        return at < 0 ? -at : 2 * (size - 1) - at;
      case "symmetric": {
        // Period 2 * size: an image smaller than the window is reflected more than once.
        const folded = ((at % (2 * size)) + 2 * size) % (2 * size);
        return folded < size ? folded : 2 * size - 1 - folded;
      }
    }
  });
}
