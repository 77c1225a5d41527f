/** @file Triggers that are reflections in a pane of glass. */
import { z } from "zod";
import { FormatError, OptionError } from "../../core/errors.ts";
import { uniformFromNoise } from "../../core/noise.ts";
import { resize } from "../../tensor/resize.ts";
import { concatRows, rowsOf } from "../../tensor/rows.ts";
import { type Float32Tensor, float32 } from "../../tensor/tensor.ts";
import { drawReflection, REFLECTION_DRAWS, workingSize } from "../transforms/reflection/draw-reflection.ts";
import { reflectOnto } from "../transforms/reflection/reflect.ts";
import { defineTriggerKind } from "../trigger.ts";

const share = z.number().min(0).max(1);

/** A picture of a pool, reflected; which, and how, differs by image. */
export const reflection = defineTriggerKind({
  name: "reflection",
  summary: "Reflects a picture from a pool, doubled or out of focus.",
  parameters: z.strictObject({
    alpha: z.tuple([share, share]).default([0.4, 0.4]).describe("Smallest and largest share of the image's own light."),
    ghostRate: share
      .default(0.49)
      .describe("Share of the images whose reflection is doubled; others are out of focus."),
    offset: z
      .tuple([z.int().min(1).max(4096), z.int().min(1).max(4096)])
      .default([3, 8])
      .describe("Smallest and largest distance of doubled reflections along each axis, in pixels of the working size."),
    sigma: z
      .tuple([z.number().min(0).max(100), z.number().min(0).max(100)])
      .default([1, 5])
      .describe("Smallest and largest blur of reflections out of focus, in pixels of the working size."),
    side: z.int().min(8).max(4096).default(64).describe("Working size: the longer side to which images are enlarged."),
  }),
  arrays: { pictures: ([c, h, w]) => ["N", c, h, w] },
  open({ parameters, arrays, shape: [channels, height, width] }) {
    const pictures = arrays["pictures"] ?? float32([0, channels, height, width]);
    const pool = pictures.dims[0] ?? 0;
    if (pool === 0) throw new FormatError("reflection: expected at least one picture to reflect, got none.");
    const size = workingSize([height, width], parameters.side);
    const enlarged = (image: Float32Tensor): Float32Tensor => resize(image, ...size);
    if (parameters.offset[1] >= Math.min(...size)) {
      throw new OptionError(
        `reflection: expected an offset below ${Math.min(...size)} pixels, got ${parameters.offset[1]}.`,
      );
    }
    return {
      apply(images, run) {
        const rows = Array.from({ length: images.dims[0] ?? 0 }, (_, row): Float32Tensor => {
          const [pick = 0, ...draws] = uniformFromNoise(run.noise, row, "reflection", 0, REFLECTION_DRAWS + 1);
          const index = Math.floor(pick * pool);
          const how = drawReflection(draws, parameters, size);
          const picture = rowsOf(pictures, index, index + 1);
          const seen = reflectOnto(enlarged(rowsOf(images, row, row + 1)), enlarged(picture), how);
          return resize(seen, height, width, { antialias: true });
        });
        return concatRows([rowsOf(images, 0, 0), ...rows]);
      },
    };
  },
});
