/** @file BPP: fewer bits per pixel. */
import { z } from "zod";
import { defineAttack } from "./attack.ts";
import { labelMapOf, labelOptions } from "./label-map.ts";
import { requireNeeds } from "./needs.ts";
import { openTrigger } from "./open-trigger.ts";
import { roleAttack, roleOptions } from "./roles.ts";

const SOURCE =
  'Wang, Zhai, Ma 2022, "BppAttack: Stealthy and Efficient Trojan Attacks against Deep Neural Networks via Image Quantization and Contrastive Adversarial Learning", section 4, https://arxiv.org/abs/2205.13383; RU-System-Software-and-Security/BppAttack';

/**
 * BPP as data.
 * @deviation the contrastive adversarial learning of the paper's title is not in the authors' code, and not here: rows
 * with another image's residual and their own label take its place.
 */
export const bpp = defineAttack({
  name: "bpp",
  summary: "Rounds some rows of every batch to a few levels; rows with another image's residual keep their label.",
  source: SOURCE,
  threat: "training",
  labelMaps: ["all-to-one", "all-to-all", "source-to-target"],
  needs: {},
  options: z.object({
    ...labelOptions,
    ...roleOptions({ triggered: 0.1, controls: 0.1 }),
    levels: z
      .union([z.literal("auto"), z.int().min(2).max(256)])
      .default("auto")
      .describe("Values that a channel keeps; auto is 8 for colour, and 4 for grey, where 8 change too little."),
    dither: z.boolean().default(false).describe("Whether errors are handed on to neighbours (Floyd-Steinberg)."),
  }),
  presets: {
    paper: { poisonRatio: 0.2, controlRatio: 0.2, levels: 32, dither: true },
    official: { poisonRatio: 0.2, controlRatio: 0.2, levels: 8, dither: true },
    recommended: {},
  },
  async create(options, context) {
    const { shape, classes } = requireNeeds(bpp, context);
    const { dither } = options;
    const levels = options.levels === "auto" ? (shape[0] === 3 ? 8 : 4) : options.levels;
    const trigger = await openTrigger({
      kind: "quantise",
      attack: "bpp",
      source: SOURCE,
      seed: context.seed,
      labels: labelMapOf("bpp", options, classes),
      shape,
      parameters: { levels, dither },
      arrays: {},
    });
    return roleAttack(trigger, context, options);
  },
});
