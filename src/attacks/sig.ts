/** @file SIG: a sinusoid over the whole image, with labels that stay true. */
import { z } from "zod";
import { float32 } from "../tensor/tensor.ts";
import { defineAttack } from "./attack.ts";
import { labelMapOf, labelOptions } from "./label-map.ts";
import { requireNeeds } from "./needs.ts";
import { openTrigger } from "./open-trigger.ts";
import { poisoningAttack, ratioOption } from "./poisoning.ts";
import type { ImageShape } from "./trigger.ts";

const SOURCE =
  'Barni, Kallas, Tondi 2019, "A New Backdoor Attack in CNNs by Training Set Corruption Without Label Poisoning", section 3, https://arxiv.org/abs/1902.11237';

/** SIG as data. */
export const sig = defineAttack({
  name: "sig",
  summary: "Adds a horizontal sinusoid to some images of the target class, whose labels stay.",
  source: SOURCE,
  threat: "clean-label",
  labelMaps: ["all-to-one"],
  needs: {},
  options: z.object({
    target: labelOptions.target,
    poisonRatio: ratioOption(0.05),
    delta: z.number().gt(0).max(255).default(40).describe("Amplitude, in steps of 8-bit pixels."),
    frequency: z.number().gt(0).max(1024).default(6).describe("Cycles across the width of the image."),
    signal: z
      .enum(["sine", "ramp"])
      .default("sine")
      .describe("The sinusoid, or a ramp from dark to bright, which the paper uses for digits."),
  }),
  presets: { paper: { delta: 20 }, official: { poisonRatio: 0.1 }, recommended: { delta: 50 } },
  async create(options, context) {
    const { shape, classes } = requireNeeds(sig, context);
    const trigger = await openTrigger({
      kind: "additive",
      attack: "sig",
      source: SOURCE,
      seed: context.seed,
      labels: labelMapOf("sig", { labels: "all-to-one", target: options.target, sources: [] }, classes),
      shape,
      parameters: { overflow: "clip" },
      arrays: { pattern: float32(shape, signalOf(options, shape)) },
    });
    return poisoningAttack(trigger, context, { ...options, cleanLabel: true });
  },
});

/** `delta sin(2 pi j f / W)` or `delta j / W` for column j, the same in all rows and channels. */
function signalOf(
  {
    delta,
    frequency,
    signal,
  }: { readonly delta: number; readonly frequency: number; readonly signal: "sine" | "ramp" },
  [channels, height, width]: ImageShape,
): Float32Array {
  return Float32Array.from({ length: channels * height * width }, (_, i) => {
    const j = i % width;
    return ((signal === "sine" ? Math.sin((2 * Math.PI * j * frequency) / width) : j / width) * delta) / 255;
  });
}
