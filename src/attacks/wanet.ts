/** @file WaNet: a smooth warp that people do not see. */
import { z } from "zod";
import { defineAttack } from "./attack.ts";
import { labelMapOf, labelOptions } from "./label-map.ts";
import { requireNeeds } from "./needs.ts";
import { openTrigger } from "./open-trigger.ts";
import { roleAttack, roleOptions } from "./roles.ts";
import { drawFlow } from "./transforms/warp.ts";

const SOURCE =
  'Nguyen and Tran 2021, "WaNet - Imperceptible Warping-based Backdoor Attack", section 3, https://arxiv.org/abs/2102.10369; VinAIResearch/Warping-based_Backdoor_Attack-release';

/** Largest side at which the published strength still shows: above, displacements grow with the image. */
const SMALL = 64;

/** WaNet as data. */
export const wanet = defineAttack({
  name: "wanet",
  summary: "Warps some rows of every batch by one smooth field; noisily warped rows keep their label.",
  source: SOURCE,
  threat: "training",
  labelMaps: ["all-to-one", "all-to-all", "source-to-target"],
  needs: { side: 8 },
  published: { where: "MNIST, the authors' repository", cleanAccuracy: 0.9952, attackSuccess: 0.9986 },
  options: z.object({
    ...labelOptions,
    ...roleOptions({ triggered: 0.1, controls: 0.2 }),
    grid: z.int().min(2).max(64).default(4).describe("Side k of the coarse grid of displacements."),
    strength: z
      .union([z.literal("auto"), z.number().gt(0).max(1000)])
      .default("auto")
      .describe("Strength s; auto is 0.5 up to 64 pixels, and 0.5 at 32 pixels in proportion above."),
    rescale: z.number().gt(0).max(1).default(1).describe("Factor of the sampling grid."),
  }),
  presets: { paper: { strength: 0.5 }, recommended: {} },
  async create(options, context) {
    const { shape, classes } = requireNeeds(wanet, context);
    const side = Math.min(shape[1], shape[2]);
    const auto = side <= SMALL ? 0.5 : (0.5 * side) / 32;
    const trigger = await openTrigger({
      kind: "warp",
      attack: "wanet",
      source: SOURCE,
      seed: context.seed,
      labels: labelMapOf("wanet", options, classes),
      shape,
      parameters: { strength: options.strength === "auto" ? auto : options.strength, rescale: options.rescale },
      arrays: { flow: drawFlow(context.seed, options.grid) },
    });
    return roleAttack(trigger, context, options);
  },
});
