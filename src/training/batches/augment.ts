/** @file Random changes of training images that leave their meaning alone. Each is a function of (seed, step, row). */
import { z } from "zod";
import { uniforms } from "../../core/noise.ts";
import { imageDims } from "../../tensor/shape.ts";
import { type Float32Tensor, float32 } from "../../tensor/tensor.ts";
import { cutOutInto, flipInto, type Plane, rotateInto, translateInto } from "./kernels.ts";

/** Which changes, and how strong. Zero, and false, leave images alone. */
export const augmentationOptions = z.object({
  crop: z.int().min(0).max(256).default(0).describe("Pixels of zeros around an image before it is cropped at random"),
  flip: z.boolean().default(false).describe("Mirror every other image left to right"),
  rotation: z.number().min(0).max(180).default(0).describe("Largest angle in degrees, either way"),
  cutOut: z.int().min(0).max(1024).default(0).describe("Side of a square of zeros at a random place, in pixels"),
});

/** Settings of {@link augment}. */
export type Augmentation = z.output<typeof augmentationOptions>;

/** The changes that options ask for; `undefined` for none. */
export function augmentationOf({
  crop,
  flip,
  rotation = 0,
  cutOut = 0,
}: Pick<Augmentation, "crop" | "flip"> & Partial<Augmentation>): Augmentation | undefined {
  return crop > 0 || flip || rotation > 0 || cutOut > 0 ? { crop, flip, rotation, cutOut } : undefined;
}

/** Numbers drawn for every image. */
const DRAWS = 6;

/**
 * Changes every image of a batch at random: crop, flip, rotation (bilinear, about the centre), cut-out, in this order.
 * What comes in from outside the image is zero.
 * @param images float32 [N, C, H, W]; not modified. @param at which batch of which training.
 * @source crop and flip: He et al. 2016, section 4.2; cut-out: DeVries and Taylor 2017, section 3.1, whose square may
 * hang over the edge.
 */
export function augment(
  images: Float32Tensor,
  options: Augmentation,
  at: { readonly seed: number; readonly step: number },
): Float32Tensor {
  const { crop, flip, rotation, cutOut } = options;
  const { n, c, h, w } = imageDims("augment", images.dims);
  const chances = uniforms(at.seed, "augment", at.step, n * DRAWS);
  const out = images.data.slice();
  const plane: Plane = { channels: c, height: h, width: w };
  const size = c * h * w;
  for (let row = 0; row < n; row++) {
    const own = out.subarray(row * size, (row + 1) * size);
    const [up = 0, left = 0, side = 0, turn = 0, top = 0, edge = 0] = chances.subarray(row * DRAWS, (row + 1) * DRAWS);
    if (crop > 0) {
      const shift = (chance: number): number => Math.floor(chance * (2 * crop + 1)) - crop;
      translateInto(own, plane, { down: shift(up), right: shift(left) });
    }
    if (flip && side < 0.5) flipInto(own, plane);
    if (rotation > 0) rotateInto(own, plane, ((2 * turn - 1) * rotation * Math.PI) / 180);
    if (cutOut > 0) {
      const from = (chance: number, length: number): number => Math.floor(chance * length) - Math.floor(cutOut / 2);
      cutOutInto(own, plane, { top: from(top, h), left: from(edge, w), side: cutOut });
    }
  }
  return float32(images.dims, out);
}
