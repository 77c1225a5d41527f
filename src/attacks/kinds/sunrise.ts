/** @file Triggers that are another light over the whole scene. */
import { z } from "zod";
import { sunrise as light } from "../transforms/sunrise.ts";
import { defineTriggerKind } from "../trigger.ts";

/** Warm light from below. */
export const sunrise = defineTriggerKind({
  name: "sunrise",
  summary: "Gives the image warm tones and a glow from its lower edge.",
  parameters: z.strictObject({
    blend: z.number().min(0).max(1).default(0.6).describe("How much of the changed image shows."),
    warmth: z.number().min(0).max(10).default(0.6).describe("How far the tone curves of red and blue bend apart."),
    glow: z.number().min(0).max(1).default(0.5).describe("Brightness of the glow at the lower edge."),
  }),
  arrays: {},
  open: ({ parameters }) => ({ apply: (images) => light(images, parameters) }),
});
