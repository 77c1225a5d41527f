/** @file A mask and a pattern for many images: what they cost, and how that changes with both. */
import type { DifferentiableClassifier } from "../classifiers/differentiable.ts";
import { winners } from "../metrics/accuracy.ts";
import { type Float32Tensor, float32 } from "../tensor/tensor.ts";
import { blendGradientInto, blendRowsInto } from "./kernels.ts";

/** A mask [H * W] and a pattern [C * H * W], both in [0, 1]. */
export interface Patch {
  readonly mask: Float32Array;
  readonly pattern: Float32Array;
}

/** What a patch does to images. */
export interface PatchAnswer {
  /** [N, K] */
  readonly scores: Float32Tensor;
  /** Mean cross-entropy to the target over the images. */
  readonly loss: number;
  /** Its derivatives by mask and pattern. */
  readonly gradient: Patch;
  /** Images that are called the target. */
  readonly hits: number;
}

/** Asks about `(1 - mask) * images + mask * pattern`. @param images float32 [N, C, H, W] in [0, 1]. */
export async function patchAnswer(
  classifier: DifferentiableClassifier,
  images: Float32Tensor,
  patch: Patch,
  { target, signal }: { readonly target: number; readonly signal?: AbortSignal | undefined },
): Promise<PatchAnswer> {
  const [n = 0] = images.dims;
  const rows = float32(images.dims);
  blendRowsInto(rows.data, images.data, patch.mask, patch.pattern);
  const { scores, losses, gradient } = await classifier.lossGradient(rows, Array<number>(n).fill(target), signal);
  const sums = { mask: new Float64Array(patch.mask.length), pattern: new Float64Array(patch.pattern.length) };
  blendGradientInto(sums, gradient.data, images.data, patch);
  return {
    scores,
    loss: losses.data.reduce((sum, loss) => sum + loss, 0) / n,
    gradient: {
      mask: Float32Array.from(sums.mask, (slope) => slope / n),
      pattern: Float32Array.from(sums.pattern, (slope) => slope / n),
    },
    hits: winners(scores).filter((label) => label === target).length,
  };
}

/**
 * The patch that free variables stand for: `tanh(v) / 2 + 1/2` of each, the mask's first.
 * @param plane H * W
 */
export function patchOf(variables: Float32Array, plane: number): Patch {
  const values = variables.map((value) => Math.tanh(value) / 2 + 0.5);
  return { mask: values.subarray(0, plane), pattern: values.subarray(plane) };
}

/** The derivative by the free variables, from those by mask and pattern. */
export function variableGradient(gradient: Patch, variables: Float32Array): Float32Array {
  const plane = gradient.mask.length;
  return variables.map((value, i) => {
    const slope = (i < plane ? gradient.mask[i] : gradient.pattern[i - plane]) ?? 0;
    return (slope * (1 - Math.tanh(value) ** 2)) / 2;
  });
}

/** The norm of a mask, and its derivative. */
export function maskNorm(mask: Float32Array, order: 1 | 2): { readonly norm: number; readonly gradient: Float32Array } {
  if (order === 1)
    return { norm: mask.reduce((sum, value) => sum + value, 0), gradient: new Float32Array(mask.length).fill(1) };
  const norm = Math.sqrt(mask.reduce((sum, value) => sum + value * value, 0));
  return { norm, gradient: mask.map((value) => (norm === 0 ? 0 : value / norm)) };
}
