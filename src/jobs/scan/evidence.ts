/** @file What a reconstructed trigger looks like, where it acts, which images it flips, and how it lies to the true one. */
import type { Trigger } from "../../attacks/trigger.ts";
import type { Classifier } from "../../classifiers/classifier.ts";
import { createNoise } from "../../core/noise.ts";
import type { ReconstructedTrigger } from "../../invert/inverter.ts";
import { extentOf, stamp } from "../../invert/trigger.ts";
import { winners } from "../../metrics/accuracy.ts";
import type { Count } from "../../metrics/count.ts";
import { type Float32Tensor, float32 } from "../../tensor/tensor.ts";
import type { Probe } from "./probe.ts";

/** The smallest change that a picture file can hold. */
const VISIBLE = 1 / 255;
/** A footprint of more than this share of an image has no place that could be found. */
const WHOLE = 0.5;

/** Distance in pixels of the lines that show a warp; it is magnified until it bends them by half of that. */
const LINES = 4;

/** A trigger's pictures, each [1, C, H, W] or [1, 1, H, W] in [0, 1]. */
export interface TriggerPictures {
  /** A perturbation around grey, as strong as can be shown; a patch on grey; a warp as it bends lines, magnified. */
  readonly trigger: Float32Tensor;
  /** Where a patch covers; the change of a perturbation, as a share of its largest. */
  readonly mask: Float32Tensor;
}

/** The true trigger as far as a scan is judged by it. */
export interface TrueFootprint {
  /** [H * W], 1 where it changes images. */
  readonly mask: Uint8Array;
  readonly pixels: number;
  /** Of images of other classes, on the scanned model. */
  readonly success: Count;
}

/** How strongly a trigger acts on each pixel, [H * W], the largest being 1. */
export function heatOf(trigger: ReconstructedTrigger): Float32Array {
  const { dims, data } = extentOf(trigger);
  const plane = (dims[2] ?? 1) * (dims[3] ?? 1);
  const heat = new Float32Array(plane);
  for (const [i, value] of data.entries()) heat[i % plane] = Math.max(heat[i % plane] ?? 0, Math.abs(value));
  return scaledToOne(heat);
}

/** What a trigger looks like. */
export function picturesOf(trigger: ReconstructedTrigger): TriggerPictures {
  const { dims, data } = extentOf(trigger);
  const [, , height = 1, width = 1] = dims;
  const mask = float32([1, 1, height, width], heatOf(trigger));
  if (trigger.kind === "patch") {
    const grey = float32(trigger.pattern.dims, new Float32Array(trigger.pattern.data.length).fill(0.5));
    return { trigger: stamp(grey, trigger), mask };
  }
  const largest = data.reduce((high, value) => Math.max(high, Math.abs(value)), 0);
  const shares = data.map((value) => (largest === 0 ? 0 : value / largest));
  if (trigger.kind === "warp") {
    const field = float32(
      dims,
      shares.map((value) => value * (LINES / 2)),
    );
    return { trigger: stamp(linesOf(height, width), { kind: "warp", field }), mask };
  }
  const shown = shares.map((value) => 0.5 + value / 2);
  return { trigger: float32(dims, shown), mask };
}

/** White lines on black, [1, 1, H, W]. */
function linesOf(height: number, width: number): Float32Tensor {
  const isLine = (i: number): boolean => (i % width) % LINES === 0 || Math.floor(i / width) % LINES === 0;
  return float32(
    [1, 1, height, width],
    Float32Array.from({ length: height * width }, (_, i) => (isLine(i) ? 1 : 0)),
  );
}

/** Where the true trigger changes images, and what it does. @throws ShapeError when it is for images of other dims. */
export async function footprintOf(
  classifier: Classifier,
  { images, labels, ids }: Probe,
  {
    trigger,
    target,
    signal,
  }: { readonly trigger: Trigger; readonly target: number | null; readonly signal?: AbortSignal | undefined },
): Promise<TrueFootprint> {
  const noise = createNoise(trigger.seed, ids);
  const triggered = await trigger.apply(images, { noise, signal });
  const [n = 0, , height = 1, width = 1] = images.dims;
  const plane = height * width;
  const sums = new Float64Array(plane);
  for (const [i, value] of triggered.data.entries()) {
    if (Math.abs(value - (images.data[i] ?? 0)) >= VISIBLE) sums[i % plane] = (sums[i % plane] ?? 0) + 1;
  }
  // A pixel that happens to be as the trigger wants it in some images belongs to it all the same.
  const mask = Uint8Array.from(sums, (count) => (count >= 0.05 * n ? 1 : 0));
  const called = winners((await classifier.classify(triggered, signal)).scores);
  const rows = [...labels.keys()].filter((row) => labels[row] !== target);
  const hits = target === null ? 0 : rows.filter((row) => called[row] === target).length;
  return {
    mask,
    pixels: mask.reduce((sum, one) => sum + one, 0),
    success: { hits, total: target === null ? 0 : rows.length },
  };
}

/**
 * Intersection over union of a true footprint with as many of the pixels on which a reconstruction acts most.
 * @returns `null` for a footprint of nothing, or of more than half an image.
 */
export function overlap(
  trigger: ReconstructedTrigger,
  { mask, pixels }: Pick<TrueFootprint, "mask" | "pixels">,
): number | null {
  if (pixels === 0 || pixels > WHOLE * mask.length) return null;
  const heat = heatOf(trigger);
  const strongest = [...heat.keys()].sort((a, b) => (heat[b] ?? 0) - (heat[a] ?? 0)).slice(0, pixels);
  const shared = strongest.filter((pixel) => mask[pixel] === 1).length;
  return shared / (2 * pixels - shared);
}

function scaledToOne(values: Float32Array): Float32Array {
  const largest = values.reduce((high, value) => Math.max(high, value), 0);
  return largest === 0 ? values : values.map((value) => Math.max(0, value / largest));
}
