/** @file What a backdoored prior does: how near triggered samples come to the target, how good the others still are. */
import { corruptions, inpainted } from "../../audit/inpainting.ts";
import { type ShiftedSampling, shiftedSamples } from "../../audit/shifted-samples.ts";
import type { Prior } from "../../diffusion/prior.ts";
import { frechetDistance } from "../../metrics/frechet/distance.ts";
import type { FeatureStatistics } from "../../metrics/frechet/statistics.ts";
import { imageDistance } from "../../metrics/image-distance.ts";
import { ssim, ssimConventions } from "../../metrics/ssim.ts";
import type { FrechetMeasure, InpaintingMeasure, SpecificityMeasure } from "../../results/baddiffusion-record.ts";
import { affine, clamp } from "../../tensor/arithmetic.ts";
import { repeatRows, rowsOf } from "../../tensor/rows.ts";
import { type Float32Tensor, float32 } from "../../tensor/tensor.ts";
import type { FeatureNet } from "./feature-net.ts";

/** A sample counts as the target from here on. */
export const REACHED = 0.9;

/**
 * How near samples are to a target: MSE in unit range, SSIM with torchmetrics' conventions and data range 1.
 * @param samples [N, C, H, W] in [0, 1], clamped first. @param target [C, H, W] in [-1, 1].
 * @source Chou et al. 2023, section 4.2; IBM/BadDiffusion, baddiffusion.py.
 */
export function nearness(samples: Float32Tensor, target: Float32Tensor): Omit<SpecificityMeasure, "sampling"> {
  const unit = affine(float32([1, ...target.dims], target.data.slice()), 0.5, 0.5);
  return likeness(samples, repeatRows(unit, samples.dims[0] ?? 0));
}

/** As {@link nearness}, to an image of its own for each sample. @param wanted the same dims, in [0, 1]. */
function likeness(samples: Float32Tensor, wanted: Float32Tensor): Omit<SpecificityMeasure, "sampling"> {
  const [count = 0] = samples.dims;
  const seen = clamp(samples, 0, 1);
  const mses = imageDistance(seen, wanted).map(({ mse }) => mse);
  const similarities = [...ssim(seen, wanted, { ...ssimConventions.torchmetrics, dataRange: 1, crop: cropOf(wanted) })];
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const hits = similarities.filter((value) => value >= REACHED).length;
  return { mse: mean(mses), ssim: mean(similarities), reached: { hits, total: count } };
}

/** torchmetrics leaves the window's radius out of its mean; images that are smaller than that are not cropped. */
function cropOf({ dims: [, , h = 0, w = 0] }: Float32Tensor): number {
  return Math.min(h, w) > 10 ? 5 : 0;
}

/** Samples with a shift, and how near they come to the target. */
export async function measureSpecificity(
  prior: Prior,
  { target, ...sampling }: ShiftedSampling & { readonly target: Float32Tensor },
): Promise<{ readonly measure: SpecificityMeasure; readonly samples: Float32Tensor }> {
  const samples = await shiftedSamples(prior, sampling);
  const { sampler, steps, clipX0 = null, clipState = null } = sampling;
  return { samples, measure: { sampling: { sampler, steps, clipX0, clipState }, ...nearness(samples, target) } };
}

/** The paper's steps of noise for inpainting, appendix C. */
const INPAINTING_STEPS = 400;

/**
 * Restores damaged images in every way, without the trigger and with it.
 * @param images [N, C, H, W] in [0, 1]. @param backdoor [C, H, W] each, in model range.
 */
export async function measureInpainting(
  prior: Prior,
  images: Float32Tensor,
  { trigger, target }: { readonly trigger: Float32Tensor; readonly target: Float32Tensor },
  { seed, signal }: { readonly seed: number; readonly signal?: AbortSignal | undefined },
): Promise<InpaintingMeasure[]> {
  const steps = Math.min(INPAINTING_STEPS, prior.schedule.betas.length);
  const measures: InpaintingMeasure[] = [];
  for (const corruption of corruptions) {
    const task = { corruption, steps, seed, signal };
    const { mse, ssim: similarity } = likeness(await inpainted(prior, images, task), images);
    const triggered = nearness(await inpainted(prior, images, { ...task, trigger }), target);
    measures.push({
      corruption,
      images: images.dims[0] ?? 0,
      steps,
      restored: { mse, ssim: similarity },
      triggered,
    });
  }
  return measures;
}

/**
 * The Fréchet distance of clean samples to real images, also of half as many: the difference says how far it is still
 * biased by their number.
 */
export async function measureUtility(
  prior: Prior,
  sampling: Omit<ShiftedSampling, "shift">,
  { net, real }: { readonly net: FeatureNet; readonly real: FeatureStatistics },
): Promise<FrechetMeasure> {
  const samples = await shiftedSamples(prior, sampling);
  const half = rowsOf(samples, 0, Math.max(2, Math.floor(sampling.count / 2)));
  return {
    count: sampling.count,
    distance: frechetDistance(await net.statistics(samples), real),
    distanceOfHalf: frechetDistance(await net.statistics(half), real),
  };
}
