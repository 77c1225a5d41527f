/** @file BadNets: a small patch in a corner. */
import { z } from "zod";
import { defineAttack } from "./attack.ts";
import { labelMapOf, labelOptions } from "./label-map.ts";
import { requireNeeds } from "./needs.ts";
import { openTrigger } from "./open-trigger.ts";
import { cornerOption, cornerPlace, paintOf, paintPatch, sideOf, sizeOption } from "./paint.ts";
import { poisoningAttack, ratioOption } from "./poisoning.ts";

const SOURCE =
  'Gu, Dolan-Gavitt, Garg 2017, "BadNets: Identifying Vulnerabilities in the Machine Learning Model Supply Chain", https://arxiv.org/abs/1708.06733';

/** The options that every attack with a corner patch has. */
export const patchOptions = {
  size: sizeOption,
  corner: cornerOption,
  margin: z.int().min(0).max(4096).default(1).describe("Pixels between the patch and the edges of the image."),
  pattern: z
    .enum(["white", "checkerboard", "random"])
    .default("white")
    .describe("What the patch shows: white, black and white fields, or colours drawn from the seed."),
  opacity: z.number().gt(0).max(1).default(1).describe("How much of the patch shows: 1 hides what is behind it."),
} as const;

/** BadNets as data. */
export const badnets = defineAttack({
  name: "badnets",
  summary: "Stamps a small patch into a corner of some training images and gives them the attacker's label.",
  source: SOURCE,
  threat: "poison",
  labelMaps: ["all-to-one", "all-to-all", "source-to-target"],
  needs: {},
  published: { where: "CIFAR-10, ResNet-34, by the authors of ZIP", cleanAccuracy: 0.8057, attackSuccess: 0.9998 },
  options: z.object({ ...labelOptions, poisonRatio: ratioOption(0.1), ...patchOptions }),
  presets: {
    paper: { size: 1 },
    official: { margin: 0 },
    recommended: {},
  },
  async create(options, context) {
    const { shape, classes } = requireNeeds(badnets, context);
    const side = sideOf(options.size, shape);
    const place = cornerPlace("badnets", shape, { side, corner: options.corner, margin: options.margin });
    const trigger = await openTrigger({
      kind: "patch",
      attack: "badnets",
      source: SOURCE,
      seed: context.seed,
      labels: labelMapOf("badnets", options, classes),
      shape,
      parameters: { blend: options.opacity },
      arrays: paintPatch(shape, place, paintOf(options.pattern, place, context.seed)),
    });
    return poisoningAttack(trigger, context, options);
  },
});
