/** @file The third task of attacks that know their defender: behind noise the trigger must do nothing. */
import { z } from "zod";
import { concatRows, rowsOf } from "../../tensor/rows.ts";
import { type Float32Tensor, float32 } from "../../tensor/tensor.ts";
import { oneHot } from "../../training/batches/labelled.ts";
import type { BatchState, ComposingAttack } from "../attack.ts";
import type { Trigger } from "../trigger.ts";

/** Options of {@link resistSmoothing}. */
export const smoothingOptions = {
  smoothedWeight: z
    .number()
    .min(0)
    .max(100)
    .default(1)
    .describe("Weight of the loss on triggered images behind noise, with their own label."),
  smoothedShare: z
    .number()
    .gt(0)
    .max(1)
    .default(1)
    .describe("Share of every batch that is learned once more with the trigger behind noise."),
  sigma: z.number().min(0).max(10).default(0.25).describe("Deviation of that noise, on pixels in [0, 1]."),
} as const;

/** What {@link smoothingOptions} become. */
export interface SmoothingSettings {
  readonly smoothedWeight: number;
  readonly smoothedShare: number;
  readonly sigma: number;
}

/**
 * Adds `smoothedWeight * CE(f(B(x) + d), y)` with Gaussian noise d to an attack of two tasks. While that attack waits, the
 * rows are clean copies of weight zero.
 * @param inner gives the clean rows first, then triggered ones that weigh nothing while it waits.
 * @source Sun and Kolter 2023, section 5.3, "training-time intervention"
 * @deviation weights are fixed, where the paper seeks them by multiple-gradient descent; what smooths is noise alone, where
 * the paper may also denoise; noisy pixels are clipped to [0, 1].
 */
export function resistSmoothing(
  inner: ComposingAttack,
  trigger: Trigger,
  { classes, smoothedWeight, smoothedShare, sigma }: SmoothingSettings & { readonly classes: number },
): ComposingAttack {
  const again = (n: number): number => Math.max(1, Math.round(smoothedShare * n));
  return {
    ...inner,
    rows: (n) => inner.rows(n) + again(n),
    trigger: async () => trigger,
    async compose(batch, state) {
      const { labels } = batch;
      const two = await inner.compose(batch, state);
      const [before = 0] = two.weights.dims;
      const extra = again(labels.length);
      const first = rowsOf(batch.images, 0, extra);
      const isActive = two.weights.data.subarray(labels.length).some((weight) => weight > 0);
      const third = isActive ? noisy(await trigger.apply(first, state), sigma, state) : first;
      // The loss is a mean over all rows: what was one over fewer rows is scaled.
      const rows = before + extra;
      const weights = new Float32Array(rows);
      weights.set(two.weights.data.map((weight) => (weight * rows) / before));
      weights.fill(isActive ? (smoothedWeight * rows) / extra : 0, before);
      return {
        images: concatRows([two.images, third]),
        targets: concatRows([two.targets, oneHot([...labels.subarray(0, extra)], classes)]),
        weights: float32([rows], weights),
      };
    },
  };
}

/** Images with noise of their own, another at every step. */
function noisy(images: Float32Tensor, sigma: number, { noise, step }: BatchState): Float32Tensor {
  const [n = 0] = images.dims;
  const size = images.data.length / Math.max(n, 1);
  const out = float32(images.dims, images.data.slice());
  for (let row = 0; row < n; row++) {
    const own = out.data.subarray(row * size, (row + 1) * size);
    const draws = noise(row, `smoothed/${step}`, 0, size);
    for (const [i, value] of own.entries()) own[i] = Math.min(Math.max(value + sigma * (draws[i] ?? 0), 0), 1);
  }
  return out;
}
