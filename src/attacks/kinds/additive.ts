/** @file Triggers that are added to the whole image: sinusoids, smooth perturbations, fixed noise. */
import { z } from "zod";
import { float32 } from "../../tensor/tensor.ts";
import { addInto, addModuloInto } from "../kernels.ts";
import { defineTriggerKind } from "../trigger.ts";

/** `image + pattern`, with what leaves the range clipped or wrapped. */
export const additive = defineTriggerKind({
  name: "additive",
  summary: "Adds a fixed signed pattern to the whole image.",
  parameters: z.strictObject({
    overflow: z
      .enum(["clip", "wrap"])
      .default("clip")
      .describe("What becomes of values outside [0, 1]: the nearest end, or modulo 256 as 8-bit sums that overflow."),
  }),
  arrays: { pattern: (shape) => shape },
  open({ parameters: { overflow }, arrays: { pattern }, shape }) {
    const added = pattern ?? float32(shape);
    return {
      apply(images) {
        const out = float32(images.dims, images.data.slice());
        if (overflow === "clip") addInto(out.data, added.data);
        else addModuloInto(out.data, added.data);
        return out;
      },
    };
  },
});
