/** @file Triggers that are another image: half of one beside half of the other. */
import { z } from "zod";
import { FormatError } from "../../core/errors.ts";
import { uniformFromNoise } from "../../core/noise.ts";
import { takeRows } from "../../tensor/rows.ts";
import { float32 } from "../../tensor/tensor.ts";
import { drawHalves, HALVES_DRAWS, mixHalves } from "../transforms/mix.ts";
import { defineTriggerKind } from "../trigger.ts";

/** A mix with a picture of a pool; which, and how, differs by image. */
export const mix = defineTriggerKind({
  name: "mix",
  summary: "Replaces half of the image by half of a picture from a pool.",
  parameters: z.strictObject({
    jitter: z.int().min(0).max(4096).default(3).describe("Pixels by which the cut leaves the middle at most."),
  }),
  arrays: { donors: ([c, h, w]) => ["N", c, h, w] },
  open({ parameters: { jitter }, arrays, shape: [channels, height, width] }) {
    const donors = arrays["donors"] ?? float32([0, channels, height, width]);
    const pool = donors.dims[0] ?? 0;
    if (pool === 0) throw new FormatError("mix: expected at least one picture to mix with, got none.");
    return {
      apply(images, run) {
        const draws = Array.from({ length: images.dims[0] ?? 0 }, (_, row) => [
          ...uniformFromNoise(run.noise, row, "mix", 0, HALVES_DRAWS + 1),
        ]);
        const partners = takeRows(
          donors,
          draws.map(([first = 0]) => Math.floor(first * pool)),
        );
        return mixHalves(images, partners, (row) => drawHalves(draws[row]?.slice(1) ?? [], { height, width, jitter }));
      },
    };
  },
});
