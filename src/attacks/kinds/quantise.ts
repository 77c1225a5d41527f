/** @file Triggers that leave few colours. */
import { z } from "zod";
import { bytesFromUnit, unitFromBytes } from "../../tensor/image-bytes.ts";
import type { Float32Tensor } from "../../tensor/tensor.ts";
import { addResidual, dither as ditherImages, quantise as quantiseImages } from "../transforms/quantise.ts";
import { defineTriggerKind } from "../trigger.ts";

/** Fewer levels per channel; its control adds what that changes in another image. */
export const quantise = defineTriggerKind({
  name: "quantise",
  summary: "Rounds every channel to a few levels.",
  parameters: z.strictObject({
    levels: z.int().min(2).max(256).default(8).describe("Values that a channel keeps."),
    dither: z.boolean().default(false).describe("Whether errors are handed on to neighbours (Floyd-Steinberg)."),
  }),
  arrays: {},
  open({ parameters: { levels, dither } }) {
    const change = (images: Float32Tensor): Float32Tensor =>
      dither ? ditherImages(images, levels) : quantiseImages(images, levels);
    return {
      apply: change,
      control: {
        name: "cross",
        async apply(images, others) {
          const changed = change(others);
          return addResidual(images, others, unitFromBytes(changed.dims, bytesFromUnit(changed)));
        },
      },
    };
  },
});
