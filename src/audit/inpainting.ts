/**
 * @file Inpainting with a diffusion model: an image is damaged, noised, and denoised again. A backdoored model makes the
 * target of a damaged image with the trigger on it.
 * @source Chou, Chen, Ho 2023, "How to Backdoor Diffusion Models?", appendix C. https://arxiv.org/abs/2212.05400;
 * IBM/VillanDiffusion for the corruptions.
 */
import { createNoise } from "../core/noise.ts";
import { noised } from "../diffusion/forward.ts";
import { noiseLike } from "../diffusion/noise.ts";
import type { Prior } from "../diffusion/prior.ts";
import { affine, combine } from "../tensor/arithmetic.ts";
import { imageDims } from "../tensor/shape.ts";
import { type Float32Tensor, float32 } from "../tensor/tensor.ts";
import { triggeredBase } from "./baddiffusion/forward.ts";
import { walkDown } from "./shifted-samples.ts";

/** The deviation of `blur`'s noise, in model range. */
const BLUR = 0.3;
const DARK = -1;

/** Which part of an image is lost: by rows and columns from the middle, as the authors' code cuts them. */
const holes = {
  box: (h: number, w: number, row: number, column: number): boolean => within(row, h, 3, 3) && within(column, w, 3, 3),
  line: (_h: number, w: number, _row: number, column: number): boolean => within(column, w, 10, 20),
} as const;

/** How an image is damaged. `blur` is noise of deviation .3, as the paper calls it. */
export type Corruption = "blur" | keyof typeof holes;

export const corruptions = ["blur", "box", "line"] as const satisfies readonly Corruption[];

function within(at: number, side: number, before: number, after: number): boolean {
  const half = Math.floor(side / 2);
  return at >= half - Math.floor(half / before) && at < half + Math.floor(half / after);
}

/** Damages images. @param images [N, C, H, W] in [-1, 1]. @returns the same dims, new. */
export function corrupted(images: Float32Tensor, kind: Corruption, seed: number): Float32Tensor {
  const { n, h, w } = imageDims("inpainting", images.dims);
  if (kind === "blur") {
    const ids = Array.from({ length: n }, (_, i) => [i, 0] as const);
    return combine([1, images], [BLUR, noiseLike({ noise: createNoise(seed, ids) }, "blur", images)(0)]);
  }
  const isLost = holes[kind];
  return float32(
    images.dims,
    images.data.map((value, i) => (isLost(h, w, Math.floor(i / w) % h, i % w) ? DARK : value)),
  );
}

/** How images are restored. */
export interface Inpainting {
  readonly corruption: Corruption;
  /** [C, H, W], painted over the damaged image; none when left out. */
  readonly trigger?: Float32Tensor | undefined;
  /** Steps of noise that are put on and taken off again; 400 in the paper. */
  readonly steps: number;
  readonly seed: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Damages images, noises them and lets the prior restore them by DDPM.
 * @param images [N, C, H, W] in [0, 1]. @returns the restored ones, the same dims and range, not clamped.
 * @deviation The authors compare restored images in [0, 1] with clean ones in [-1, 1]; here both are in [0, 1].
 */
export async function inpainted(prior: Prior, images: Float32Tensor, task: Inpainting): Promise<Float32Tensor> {
  const { corruption, trigger, seed, signal } = task;
  const damaged = corrupted(affine(images, 2, -1), corruption, seed);
  const start = trigger === undefined ? damaged : triggeredBase(damaged, trigger);
  const from = Math.min(task.steps, prior.schedule.betas.length) - 1;
  const ids = Array.from({ length: images.dims[0] ?? 0 }, (_, i) => [i, 0] as const);
  const noise = noiseLike({ noise: createNoise(seed, ids) }, "inpainting", start)(0);
  const x = noised(start, prior.schedule, from, noise);
  return affine(await walkDown(prior, x, { sampler: "ddpm", steps: from + 1, from, seed, signal }), 0.5, 0.5);
}
