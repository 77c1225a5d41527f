/** @file Triggers that are a few shifted cosine coefficients. */
import { z } from "zod";
import { OptionError } from "../../core/errors.ts";
import { cosinePattern } from "../transforms/spectrum/cosine-pattern.ts";
import { shiftSpectrum } from "../transforms/spectrum/shift-spectrum.ts";
import { defineTriggerKind } from "../trigger.ts";

const coefficient = z.int().min(0).max(4095);

/** A number added to coefficients of the cosine transform, in colours or colour differences. */
export const spectrum = defineTriggerKind({
  name: "spectrum",
  summary: "Adds a number to a few cosine coefficients of every window of the image.",
  parameters: z.strictObject({
    window: z.int().min(1).max(4096).default(32).describe("Side of the windows in pixels."),
    positions: z
      .array(z.tuple([coefficient, coefficient]))
      .min(1)
      .default([[15, 15]])
      .describe("Row and column of each coefficient."),
    magnitude: z.number().min(-1e5).max(1e5).default(50).describe("What is added, in steps of 8-bit pixels."),
    channels: z
      .array(z.int().min(0).max(65_535))
      .min(1)
      .default([0])
      .describe("Channels of the colour space that are changed."),
    space: z
      .enum(["channels", "yuv", "ycrcb"])
      .default("channels")
      .describe("Colour space: the image's own channels, YUV in floats, or YCrCb in 8 bits."),
    overflow: z
      .enum(["clip", "wrap"])
      .default("clip")
      .describe("What becomes of values outside [0, 1]: the nearest end, or modulo 256 as a cast to bytes makes them."),
  }),
  arrays: {},
  open({ parameters, shape: [channels, height, width] }) {
    const count = parameters.space === "channels" ? channels : 3;
    const outside = parameters.channels.find((channel) => channel >= count);
    if (outside !== undefined || (parameters.space !== "channels" && channels !== 3)) {
      throw new OptionError(
        `spectrum: expected channels below ${count} of images of ${parameters.space === "channels" ? channels : 3} channels, got ${outside ?? parameters.channels.join(", ")} of ${channels}.`,
      );
    }
    const pattern = cosinePattern(parameters, [height, width]);
    return { apply: (images) => shiftSpectrum(images, { ...parameters, pattern }) };
  },
});
