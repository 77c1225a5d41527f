/** @file Batches that teach a masked auto-encoder to paint: images with most of their patches hidden at random. */
import { OptionError } from "../../core/errors.ts";
import { uniforms } from "../../core/noise.ts";
import type { Feeds } from "../../runtime/runtime.ts";
import { imageDims } from "../../tensor/shape.ts";
import { type Float32Tensor, float32, type TensorOf } from "../../tensor/tensor.ts";
import type { StepBatches } from "../loop.ts";
import { type Augmentation, augment } from "./augment.ts";
import { createOrder, type OrderSettings } from "./order.ts";
import { unitImages } from "./unit-images.ts";

/** Where such batches come from. */
export interface MaskedBatches extends Omit<OrderSettings, "items"> {
  /** uint8 [M, C, H, W] */
  readonly images: TensorOf<"uint8">;
  /** Patches of an image. */
  readonly patches: number;
  /** How many of them every image shows. */
  readonly visible: number;
  readonly augmentation?: Augmentation | undefined;
}

/** Patches that are seen where a share of them is hidden, one at least. @source facebookresearch/mae, `random_masking`. */
export function visiblePatches(patches: number, hidden: number): number {
  return Math.max(1, Math.floor(patches * (1 - hidden)));
}

/**
 * Feeds of a masked auto-encoder: `pixel_values` float32 [N, C, H, W] in [0, 1] and `mask` float32 [N, patches], 1 where
 * hidden. Which patches an image shows is a function of (seed, step, row), all choices being equally likely.
 * @throws OptionError when there are not so many patches, and for fewer images than one batch has.
 * @source He et al. 2022, "Masked Autoencoders Are Scalable Vision Learners", section 3. https://arxiv.org/abs/2111.06377
 */
export function maskedBatches(settings: MaskedBatches): StepBatches<Feeds> {
  const { images, patches, visible, batch, seed, augmentation } = settings;
  if (!(Number.isInteger(visible) && visible >= 1 && visible <= patches)) {
    throw new OptionError(`training: expected from 1 to ${patches} visible patches, got ${visible}.`);
  }
  const { n: items } = imageDims("training", images.dims);
  const order = createOrder({ items, batch, seed });
  return async (step) => {
    const clean = unitImages(images, order(step));
    return {
      pixel_values: augmentation === undefined ? clean : augment(clean, augmentation, { seed, step }),
      mask: masks(uniforms(seed, "mask", step, batch * patches), { batch, patches, visible }),
    };
  };
}

/** A mask per row: of numbers that are drawn for its patches, the smallest are seen. */
function masks(
  chances: Float64Array,
  { batch, patches, visible }: Pick<MaskedBatches, "batch" | "patches" | "visible">,
): Float32Tensor {
  const out = new Float32Array(batch * patches).fill(1);
  for (let row = 0; row < batch; row++) {
    const own = chances.subarray(row * patches, (row + 1) * patches);
    const ranked = Uint32Array.from(own.keys()).sort((a, b) => (own[a] ?? 0) - (own[b] ?? 0));
    for (const patch of ranked.subarray(0, visible)) out[row * patches + patch] = 0;
  }
  return float32([batch, patches], out);
}
