/** @file Batches of a training that is attacked: the attack's trigger before, after or in place of the augmentation. */
import type { BatchState, PreparedAttack, TrainingBatch, TrainingImages } from "../../attacks/attack.ts";
import { indexIds } from "../../attacks/poison.ts";
import { RuntimeFailure } from "../../core/errors.ts";
import { createNoise } from "../../core/noise.ts";
import { unitFromBytes } from "../../tensor/image-bytes.ts";
import { takeRows } from "../../tensor/rows.ts";
import { type Float32Tensor, float32 } from "../../tensor/tensor.ts";
import { type Augmentation, augment } from "../../training/batches/augment.ts";
import { type LabelledBatch, oneHot } from "../../training/batches/labelled.ts";
import { createOrder, stepsPerEpoch } from "../../training/batches/order.ts";
import type { BatchSource } from "../../training/loop.ts";
import type { PixelGradient } from "../../training/pixel-gradient.ts";

/** Where the batches come from. */
export interface AttackedBatches {
  /** The training set; with the poison in place, where the attack poisons. */
  readonly data: TrainingImages;
  readonly attack: Exclude<PreparedAttack, { readonly how: "evade" }>;
  /** Rows that the trainer draws; what the attack makes of them may be more. */
  readonly batch: number;
  readonly seed: number;
  readonly augmentation: Augmentation | undefined;
  readonly signal?: AbortSignal | undefined;
  /** For attacks whose nets learn beside the victim. */
  readonly pixels?: PixelGradient | undefined;
}

/** Rows that the trained graph sees. */
export function rowsOfAttack({ attack, batch }: Pick<AttackedBatches, "attack" | "batch">): number {
  return attack.how === "compose" ? attack.rows(batch) : batch;
}

/** Batches of an attacked training; each is a function of the seed, the step and, where the attack asks, of the losses. */
export function attackedBatches(settings: AttackedBatches): BatchSource<LabelledBatch> {
  const { data, attack, batch, seed, augmentation, signal } = settings;
  const items = data.images.dims[0] ?? 0;
  const order = createOrder({ items, batch, seed });
  const perEpoch = stepsPerEpoch({ items, batch });

  return async (step, training) => {
    const { losses } = training;
    const { pixels } = settings;
    // The weights change while the batch is made: those of this moment count.
    const now = pixels && { weights: training.weights.slice(), statistics: training.statistics.slice() };
    const indices = Int32Array.from(order(step));
    const noise = createNoise(seed, indexIds(indices));
    const state: BatchState = {
      step,
      epoch: Math.floor(step / perEpoch),
      noise,
      signal,
      meanLoss: (batches) => meanOf(losses.slice(0, Math.max(0, step - 1)).slice(-batches)),
      pixelGradient: async (images, targets) => {
        if (pixels === undefined || now === undefined) {
          throw new RuntimeFailure(`internal: an attack asks for pixel gradients and does not say that it learns`);
        }
        return await pixels.gradient(now, images, targets);
      },
    };
    const changed = async (images: Float32Tensor): Promise<Float32Tensor> => {
      if (attack.augment !== undefined) return await attack.augment(images, { noise, signal, step });
      return augmentation === undefined ? images : augment(images, augmentation, { seed, step });
    };
    const rows = takeRows(data.images, indices);
    const drawn: TrainingBatch = {
      images: unitFromBytes(rows.dims, rows.data),
      labels: indices.map((index) => data.labels[index] ?? 0),
      indices,
    };
    if (attack.how === "poison") {
      return {
        images: await changed(drawn.images),
        targets: oneHot([...drawn.labels], data.classes),
        weights: float32([batch], new Float32Array(batch).fill(1)),
      };
    }
    if (attack.order === "after-augmentation") {
      return await attack.compose({ ...drawn, images: await changed(drawn.images) }, state);
    }
    const composed = await attack.compose(drawn, state);
    return { ...composed, images: await changed(composed.images) };
  };
}

function meanOf(losses: readonly number[]): number | undefined {
  return losses.length === 0 ? undefined : losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
}
