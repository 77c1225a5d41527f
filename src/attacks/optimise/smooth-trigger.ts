/** @file The smooth trigger: one perturbation for all images, of low frequencies only, found against a surrogate. */
import type { DifferentiableClassifier } from "../../classifiers/differentiable.ts";
import { RuntimeFailure } from "../../core/errors.ts";
import { winners } from "../../metrics/accuracy.ts";
import { rowsOf } from "../../tensor/rows.ts";
import { type Float32Tensor, float32 } from "../../tensor/tensor.ts";
import type { ImageShape } from "../trigger.ts";
import { deepFool } from "./deep-fool.ts";
import { addScaledInto } from "./kernels.ts";
import { lowPass } from "./low-pass.ts";

/** What {@link smoothTrigger} is told. */
export interface SmoothTriggerSettings {
  /** Images that it is made from, [N, C, H, W] in [0, 1]. */
  readonly images: Float32Tensor;
  /** Images on which it is judged. */
  readonly heldOut: Float32Tensor;
  readonly target: number;
  /** Highest value of the trigger; the lowest is 0. */
  readonly height: number;
  /** Share of held-out images whose class must change. */
  readonly fooling: number;
  /** Most passes over the images. */
  readonly passes: number;
  /** Most steps and overshoot of DeepFool. */
  readonly steps: number;
  readonly overshoot: number;
  readonly signal?: AbortSignal | undefined;
  progress?(done: number, total: number): void;
}

/**
 * Goes over the images until enough of the held-out ones change their class: where one does not yet, what DeepFool adds to
 * it goes into the trigger, smoothed twice, and the trigger is stretched to [0, `height`] again.
 * @returns C * H * W values. @throws RuntimeFailure when no image can be moved.
 * @source Zeng et al. 2021, section 5 and algorithm 1; SCLBD/BackdoorBench, resource/lowFrequency/universal_pert.py.
 */
export async function smoothTrigger(
  classifier: DifferentiableClassifier,
  settings: SmoothTriggerSettings,
): Promise<Float32Array> {
  const { images, heldOut, target, passes, fooling, signal, progress } = settings;
  const [n = 0, c = 1, h = 1, w = 1] = images.dims;
  const shape = [c, h, w] as const;
  let trigger = new Float64Array(c * h * w);
  const shown = winners((await classifier.classify(images, signal)).scores);
  for (let pass = 0; pass < passes; pass++) {
    for (let i = 0; i < n; i++) {
      signal?.throwIfAborted();
      const image = moved(rowsOf(images, i, i + 1), trigger);
      const [now] = winners((await classifier.classify(image, signal)).scores);
      if (now === shown[i]) {
        const change = await deepFool(classifier, image, { ...settings, target });
        if (change.some((value) => value !== 0)) trigger = grown(trigger, change, { shape, height: settings.height });
      }
      progress?.(pass * n + i + 1, passes * n);
    }
    if ((await fooled(classifier, heldOut, trigger, signal)) >= fooling) break;
  }
  if (trigger.every((value) => value === 0)) {
    throw new RuntimeFailure(
      `lf: expected a surrogate with images that can be moved to class ${target}, got none among ${n}. Do give another one with --classifier.`,
    );
  }
  return Float32Array.from(trigger);
}

/** The trigger with one more change: `S(trigger + S(change))`, from 0 to `height`. */
function grown(
  trigger: Float64Array,
  change: Float64Array,
  { shape, height }: { readonly shape: ImageShape; readonly height: number },
): Float64Array<ArrayBuffer> {
  const sum = lowPass(change, shape);
  addScaledInto(sum, trigger, 1);
  const smooth = lowPass(sum, shape);
  const low = smooth.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);
  const high = smooth.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
  return Float64Array.from(smooth, (value) => (high > low ? (height * (value - low)) / (high - low) : 0));
}

/** Images with the trigger on each, not clipped. */
function moved(images: Float32Tensor, trigger: Float64Array): Float32Tensor {
  return float32(
    images.dims,
    images.data.map((value, i) => value + (trigger[i % trigger.length] ?? 0)),
  );
}

/** The share of images whose class changes. */
async function fooled(
  classifier: DifferentiableClassifier,
  images: Float32Tensor,
  trigger: Float64Array,
  signal: AbortSignal | undefined,
): Promise<number> {
  const before = winners((await classifier.classify(images, signal)).scores);
  const after = winners((await classifier.classify(moved(images, trigger), signal)).scores);
  return before.filter((label, i) => label !== after[i]).length / Math.max(before.length, 1);
}
