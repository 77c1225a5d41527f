/** @file An image-wide BadNet: fixed faint noise over everything. */
import { z } from "zod";
import { uniforms } from "../core/noise.ts";
import { elementCount } from "../tensor/shape.ts";
import { float32 } from "../tensor/tensor.ts";
import { defineAttack } from "./attack.ts";
import { labelMapOf, labelOptions } from "./label-map.ts";
import { requireNeeds } from "./needs.ts";
import { openTrigger } from "./open-trigger.ts";
import { poisoningAttack, ratioOption } from "./poisoning.ts";

const SOURCE =
  'named in May et al. 2023, "Salient Conditional Diffusion for Defending Against Backdoor Attacks", https://arxiv.org/abs/2301.13862, without a formula';

/** Invisible BadNet as data. */
export const invisibleBadnet = defineAttack({
  name: "invisible-badnet",
  summary: "Adds one fixed pattern of faint noise to the whole of some training images, with the attacker's label.",
  source: SOURCE,
  threat: "poison",
  labelMaps: ["all-to-one", "all-to-all", "source-to-target"],
  needs: {},
  options: z.object({
    ...labelOptions,
    poisonRatio: ratioOption(0.1),
    epsilon: z.number().gt(0).max(255).default(16).describe("Largest change of a pixel, in steps of 8-bit pixels."),
    noise: z
      .enum(["uniform", "sign"])
      .default("uniform")
      .describe("Values between -epsilon and epsilon, or one of the two."),
  }),
  presets: { paper: { epsilon: 8 }, recommended: {} },
  async create(options, context) {
    const { shape, classes } = requireNeeds(invisibleBadnet, context);
    const { epsilon, noise } = options;
    const draws = uniforms(context.seed, "invisible", 0, elementCount(shape));
    const pattern = Float32Array.from(
      draws,
      (u) => ((noise === "sign" ? Math.sign(u - 0.5) : 2 * u - 1) * epsilon) / 255,
    );
    const trigger = await openTrigger({
      kind: "additive",
      attack: "invisible-badnet",
      source: SOURCE,
      seed: context.seed,
      labels: labelMapOf("invisible-badnet", options, classes),
      shape,
      parameters: { overflow: "clip" },
      arrays: { pattern: float32(shape, pattern) },
    });
    return poisoningAttack(trigger, context, options);
  },
});
