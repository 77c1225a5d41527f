/** @file Triggers that bend the image. */
import { z } from "zod";
import { ShapeError } from "../../core/errors.ts";
import { uniformFromNoise } from "../../core/noise.ts";
import { formatDims } from "../../tensor/shape.ts";
import { float32 } from "../../tensor/tensor.ts";
import { disturbed, samplingGrid, warp as warpImages } from "../transforms/warp.ts";
import { defineTriggerKind } from "../trigger.ts";

/** A fixed smooth warp; its control is the same warp with every pixel disturbed on its own. */
export const warp = defineTriggerKind({
  name: "warp",
  summary: "Bends the image along a fixed smooth field of small displacements.",
  parameters: z.strictObject({
    strength: z.number().min(0).max(1000).default(0.5).describe("Twice the mean displacement in pixels along an axis."),
    rescale: z.number().gt(0).max(1).default(1).describe("Factor of the sampling grid, so that it stays inside."),
  }),
  arrays: { flow: () => [2, "N", "N"] },
  open({ parameters: { strength, rescale }, arrays, shape: [, height, width] }) {
    const flow = arrays["flow"] ?? float32([2, 1, 1]);
    const [, rows, columns] = flow.dims;
    if (rows !== columns) throw new ShapeError(`warp: expected a square flow [2, k, k], got ${formatDims(flow.dims)}.`);
    const grid = samplingGrid({ flow, strength, rescale }, height, width);
    return {
      apply: (images) => warpImages(images, () => grid),
      control: {
        name: "noise",
        apply: async (images, _, run) =>
          warpImages(images, (row) => {
            const chances = uniformFromNoise(run.noise, row, "warp", 0, 2 * height * width);
            return disturbed(
              grid,
              chances.map((u) => 2 * u - 1),
              [height, width],
            );
          }),
      },
    };
  },
});
