/** @file Input-aware: every image gets a pattern of its own, drawn by nets that learn beside the victim. */
import { z } from "zod";
import { defineAttack } from "./attack.ts";
import { labelMapOf, labelOptions } from "./label-map.ts";
import { requireNeeds } from "./needs.ts";
import { prepareInputAware } from "./networks/input-aware-attack.ts";

const SOURCE =
  'Nguyen and Tran 2020, "Input-Aware Dynamic Backdoor Attack", section 4, https://arxiv.org/abs/2010.08138; VinAIResearch/input-aware-backdoor-attack-release';

/** Input-aware as data. */
export const inputAware = defineAttack({
  name: "input-aware",
  summary:
    "Draws a pattern for every image with nets that learn beside the victim; another image's pattern does nothing.",
  source: SOURCE,
  threat: "training",
  labelMaps: ["all-to-one", "all-to-all", "source-to-target"],
  needs: { runtime: true, side: 8 },
  published: { where: "MNIST, the authors' repository", cleanAccuracy: 0.9954, attackSuccess: 0.9954 },
  options: z.object({
    ...labelOptions,
    poisonRatio: z.number().gt(0).max(0.5).default(0.1).describe("Share of every batch that is triggered."),
    controlRatio: z
      .number()
      .gt(0)
      .max(0.5)
      .default(0.1)
      .describe("Share of every batch that gets the trigger of another image and keeps its label."),
    density: z.number().min(0).max(1).default(0.032).describe("Share of the image that a mask may cover for nothing."),
    densityWeight: z.number().min(0).max(1e6).default(100).describe("Weight of what the masks cover beyond that."),
    diversityWeight: z.number().min(0).max(1e6).default(1).describe("Weight of the diversity of masks and patterns."),
    maskSteps: z
      .int()
      .min(0)
      .max(10_000_000)
      .default(9766)
      .describe("Steps in which the mask net is trained, before the victim."),
    maskBatch: z.int().min(2).max(4096).default(128).describe("Images of one such step."),
    generatorRate: z.number().gt(0).max(1).default(0.01).describe("Rate of Adam for both nets."),
    generatorWidth: z
      .union([z.literal("auto"), z.int().min(1).max(512)])
      .default("auto")
      .describe("Channels of the nets' first level; auto is 16 for grey images and 32 for others."),
  }),
  presets: { official: {}, recommended: { maskSteps: 150, maskBatch: 32, generatorWidth: 8 } },
  async create(options, context) {
    const { shape, classes } = requireNeeds(inputAware, context);
    const labels = labelMapOf("input-aware", options, classes);
    const { generatorWidth: width } = options;
    const record = { attack: "input-aware", source: SOURCE, seed: context.seed, labels, shape };
    return await prepareInputAware(context, record, { ...options, width: width === "auto" ? undefined : width });
  },
});
