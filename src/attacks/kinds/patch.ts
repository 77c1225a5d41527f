/** @file Triggers that are pasted with a mask: patches, stickers in a fixed place, blended pictures. */
import { z } from "zod";
import { float32 } from "../../tensor/tensor.ts";
import { pasteInto } from "../kernels.ts";
import { defineTriggerKind } from "../trigger.ts";

/** `image + blend * mask * (pattern - image)`. */
export const patch = defineTriggerKind({
  name: "patch",
  summary: "Paints a pattern where a mask says so, fully or half transparent.",
  parameters: z.strictObject({
    blend: z.number().min(0).max(1).default(1).describe("How much of the pattern shows: 1 covers the image."),
  }),
  arrays: { mask: (shape) => shape, pattern: (shape) => shape },
  open({ parameters, arrays: { mask, pattern }, shape }) {
    const [own, paint] = [mask ?? float32(shape), pattern ?? float32(shape)];
    return {
      apply(images) {
        const out = float32(images.dims, images.data.slice());
        pasteInto(out.data, own.data, paint.data, parameters.blend);
        return out;
      },
    };
  },
});
