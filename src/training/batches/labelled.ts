/** @file Batches of labelled images, as a classifier learns from them. */
import { OptionError, ShapeError } from "../../core/errors.ts";
import { imageDims } from "../../tensor/shape.ts";
import { type Float32Tensor, float32, type TensorOf } from "../../tensor/tensor.ts";
import type { StepBatches } from "../loop.ts";
import { type Augmentation, augment } from "./augment.ts";
import { createOrder, type OrderSettings } from "./order.ts";
import { unitImages } from "./unit-images.ts";

/** A batch as the loss of a classifier sees it. */
export interface LabelledBatch {
  /** float32 [N, C, H, W] in [0, 1] */
  readonly images: Float32Tensor;
  /** float32 [N, K]: how much of each class is wanted; rows sum to one. */
  readonly targets: Float32Tensor;
  /** float32 [N]: how much each image counts; ones to begin with. */
  readonly weights: Float32Tensor;
}

/** Where labelled batches come from. */
export interface LabelledBatches extends Omit<OrderSettings, "items"> {
  /** uint8 [M, C, H, W] */
  readonly images: TensorOf<"uint8">;
  /** Class of each image. */
  readonly labels: ArrayLike<number>;
  /** How many classes there are. */
  readonly classes: number;
  readonly augmentation?: Augmentation | undefined;
}

/**
 * Batches of labelled images in random order; each is a function of (seed, step).
 * @throws ShapeError when images and labels are not as many; OptionError for labels that are no classes, and for fewer
 * images than one batch has.
 */
export function labelledBatches(settings: LabelledBatches): StepBatches<LabelledBatch> {
  const { images, labels, classes, batch, seed, augmentation } = settings;
  const { n: items } = imageDims("training", images.dims);
  checkLabels(labels, { items, classes });
  const order = createOrder({ items, batch, seed });
  return async (step) => {
    const chosen = order(step);
    const clean = unitImages(images, chosen);
    return {
      images: augmentation === undefined ? clean : augment(clean, augmentation, { seed, step }),
      targets: oneHot(
        Array.from(chosen, (item) => labels[item] ?? 0),
        classes,
      ),
      weights: float32([batch], new Float32Array(batch).fill(1)),
    };
  };
}

function checkLabels(labels: ArrayLike<number>, { items, classes }: { items: number; classes: number }): void {
  if (labels.length !== items) {
    throw new ShapeError(`training: expected a label for each of ${items} images, got ${labels.length}.`);
  }
  for (let i = 0; i < items; i++) {
    const label = labels[i] ?? -1;
    if (Number.isInteger(label) && label >= 0 && label < classes) continue;
    throw new OptionError(`training: expected labels from 0 to ${classes - 1}, got ${label} for image ${i}.`);
  }
}

/** Class ids as rows of zeros with a one, float32 [N, K]. */
export function oneHot(labels: readonly number[], classes: number): Float32Tensor {
  const rows = new Float32Array(labels.length * classes);
  labels.forEach((label, row) => {
    rows[row * classes + label] = 1;
  });
  return float32([labels.length, classes], rows);
}
