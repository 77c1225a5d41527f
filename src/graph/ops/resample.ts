/**
 * @file Weights of ONNX's Resize along one axis.
 * @source ONNX operator specification, Resize-19.
 */
import { cubic, tent } from "../../tensor/interpolation.ts";
import type { AxisMatrix } from "./axis-matrix.ts";
import { addTaps } from "./kernels.ts";

/** How one axis is resampled; the words are ONNX's. */
export interface Resampling {
  readonly inputs: number;
  readonly outputs: number;
  /** Output positions per input position. */
  readonly scale: number;
  readonly coordinates: string;
  readonly mode: string;
  /** Which neighbour is nearest. */
  readonly rounding: string;
  /** Slope of the cubic at one. */
  readonly slope: number;
  readonly excludeOutside: boolean;
  readonly antialias: boolean;
}

/** The matrix of a resampling. */
export function resampleMatrix(resampling: Resampling): AxisMatrix {
  const { inputs, outputs } = resampling;
  const values = new Float64Array(outputs * inputs);
  for (let i = 0; i < outputs; i++) {
    const { first, weights } = tapsAt(i, resampling);
    addTaps(values.subarray(i * inputs, (i + 1) * inputs), first, weights);
  }
  return { outputs, inputs, values };
}

/** Weights of the input positions from `first` on; positions beyond the ends count for the ends. */
function tapsAt(i: number, resampling: Resampling): { first: number; weights: number[] } {
  const { mode, rounding, antialias, scale } = resampling;
  const centre = originalCoordinate(i, resampling);
  if (mode === "nearest") return { first: nearest(centre, rounding), weights: [1] };
  const kernel = mode === "linear" ? tent : cubic(resampling.slope);
  const reach = mode === "linear" ? 1 : 2;
  // Where images shrink, the kernel is stretched over all that one value replaces.
  const stretch = antialias ? Math.min(scale, 1) : 1;
  const support = reach / stretch;
  const first = Math.floor(centre - support) + 1;
  const count = Math.floor(centre + support) - first + 1;
  const weights = Array.from({ length: count }, (_, k) => kernel((first + k - centre) * stretch));
  return { first, weights: normalised(first, weights, resampling) };
}

/** Weights that sum to one, on demand without the positions beyond the ends. */
function normalised(first: number, weights: readonly number[], { inputs, excludeOutside }: Resampling): number[] {
  const kept = weights.map((weight, k) => (excludeOutside && (first + k < 0 || first + k >= inputs) ? 0 : weight));
  const sum = kept.reduce((total, weight) => total + weight, 0);
  return kept.map((weight) => weight / sum);
}

/** The input position, in the middle of which an output position lies; rounded as the runtime rounds. */
function originalCoordinate(i: number, { coordinates, inputs, outputs, scale }: Resampling): number {
  const factor = Math.fround(scale);
  const half = Math.fround(Math.fround((i + 0.5) / factor) - 0.5);
  switch (coordinates) {
    case "asymmetric":
      return Math.fround(i / factor);
    case "align_corners":
      return outputs === 1 ? 0 : Math.fround((i * (inputs - 1)) / (outputs - 1));
    case "pytorch_half_pixel":
      return outputs > 1 ? half : 0;
    case "tf_half_pixel_for_nn":
      return Math.fround((i + 0.5) / factor);
    case "half_pixel_symmetric":
      return Math.fround((inputs / 2) * (1 - outputs / (factor * inputs)) + half);
    default:
      return half;
  }
}

function nearest(centre: number, rounding: string): number {
  switch (rounding) {
    case "floor":
      return Math.floor(centre);
    case "ceil":
      return Math.ceil(centre);
    case "round_prefer_ceil":
      return Math.floor(centre + 0.5);
    default:
      return Math.ceil(centre - 0.5);
  }
}
