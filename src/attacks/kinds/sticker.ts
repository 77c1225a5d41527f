/** @file Patches that lie elsewhere in every image. */
import { z } from "zod";
import { ShapeError } from "../../core/errors.ts";
import { uniformFromNoise } from "../../core/noise.ts";
import { formatDims, sameDims } from "../../tensor/shape.ts";
import { float32 } from "../../tensor/tensor.ts";
import { stickInto } from "../kernels.ts";
import { defineTriggerKind } from "../trigger.ts";

/** A patch at a random place: a function of seed and image. */
export const sticker = defineTriggerKind({
  name: "sticker",
  summary: "Pastes a patch at a place that every image has of its own.",
  parameters: z.strictObject({
    margin: z.int().min(0).max(4096).default(0).describe("Pixels that the patch keeps from the edges."),
    blend: z.number().min(0).max(1).default(1).describe("How much of the patch shows: 1 covers the image."),
  }),
  arrays: { mask: ([c]) => [c, "N", "N"], pattern: ([c]) => [c, "N", "N"] },
  open({ parameters: { margin, blend }, arrays: { mask, pattern }, shape: [channels, height, width] }) {
    const [own, paint] = [mask ?? float32([channels, 1, 1]), pattern ?? float32([channels, 1, 1])];
    const [, h = 0, w = 0] = own.dims;
    const [free, freeWide] = [height - 2 * margin - h, width - 2 * margin - w];
    if (!sameDims(own.dims, paint.dims) || free < 0 || freeWide < 0) {
      throw new ShapeError(
        `sticker: expected mask and pattern of equal dims that fit ${height}x${width} pixels with a margin of ${margin}, got ${formatDims(own.dims)} and ${formatDims(paint.dims)}.`,
      );
    }
    return {
      apply(images, run) {
        const out = float32(images.dims, images.data.slice());
        const size = channels * height * width;
        for (let row = 0; row < (images.dims[0] ?? 0); row++) {
          const [down = 0, right = 0] = uniformFromNoise(run.noise, row, "sticker", 0, 2);
          stickInto(out.data.subarray(row * size, (row + 1) * size), own.data, paint.data, {
            channels,
            height,
            width,
            patchHeight: h,
            patchWidth: w,
            top: margin + Math.floor(down * (free + 1)),
            left: margin + Math.floor(right * (freeWide + 1)),
            blend,
          });
        }
        return out;
      },
    };
  },
});
