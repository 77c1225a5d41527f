/** @file A stand-in for DFST: the style of a sunrise as tone curves, without a network. */
import { z } from "zod";
import { defineAttack } from "./attack.ts";
import { labelMapOf, labelOptions } from "./label-map.ts";
import { requireNeeds } from "./needs.ts";
import { openTrigger } from "./open-trigger.ts";
import { poisoningAttack, ratioOption } from "./poisoning.ts";

const SOURCE =
  'after Cheng et al. 2021, "Deep Feature Space Trojan Attack of Neural Networks by Controlled Detoxification", section 4, https://arxiv.org/abs/2012.11212, without its networks; Megum1/DFST';

/**
 * The stand-in as data.
 * @deviation the authors' trigger is a network that transfers the style of sunrises, and their training detoxifies: it
 * teaches the model to ignore simpler triggers that a second network finds. Here the style is tone curves and a glow, mixed
 * in at the authors' share, and training is plain poisoning.
 */
export const dfst = defineAttack({
  name: "dfst",
  summary: "Gives some training images the light of a sunrise and the attacker's label; a stand-in for DFST.",
  source: SOURCE,
  threat: "poison",
  labelMaps: ["all-to-one", "all-to-all", "source-to-target"],
  needs: { colour: true },
  options: z.object({
    ...labelOptions,
    poisonRatio: ratioOption(0.1),
    blend: z.number().gt(0).max(1).default(0.6).describe("How much of the changed image shows."),
    warmth: z.number().min(0).max(10).default(0.6).describe("How far the tone curves of red and blue bend apart."),
    glow: z.number().min(0).max(1).default(0.5).describe("Brightness of the glow at the lower edge."),
  }),
  presets: { official: { poisonRatio: 0.05 }, recommended: {} },
  async create(options, context) {
    const { shape, classes } = requireNeeds(dfst, context);
    const { blend, warmth, glow } = options;
    const trigger = await openTrigger({
      kind: "sunrise",
      attack: "dfst",
      source: SOURCE,
      seed: context.seed,
      labels: labelMapOf("dfst", options, classes),
      shape,
      parameters: { blend, warmth, glow },
      arrays: {},
    });
    return poisoningAttack(trigger, context, options);
  },
});
