/** @file FTrojan: a middle and a high frequency of the colour differences, block by block. */
import { z } from "zod";
import { defineAttack } from "./attack.ts";
import { labelMapOf, labelOptions } from "./label-map.ts";
import { requireNeeds } from "./needs.ts";
import { openTrigger } from "./open-trigger.ts";
import { poisoningAttack, ratioOption } from "./poisoning.ts";

const SOURCE =
  'Wang et al. 2022, "An Invisible Black-box Backdoor Attack through Frequency Domain", section 4, https://arxiv.org/abs/2107.01691; SCLBD/BackdoorBench, utils/bd_img_transform/ftrojann.py';

/** FTrojan as data. */
export const ftrojan = defineAttack({
  name: "ftrojan",
  summary: "Adds a number to a middle and a high frequency of the colour differences, with the attacker's label.",
  source: SOURCE,
  threat: "poison",
  labelMaps: ["all-to-one", "all-to-all", "source-to-target"],
  needs: { side: 8 },
  options: z.object({
    ...labelOptions,
    poisonRatio: ratioOption(0.1),
    magnitude: z.number().gt(0).max(1e4).default(50).describe("What is added to a coefficient, in 8-bit steps."),
    window: z
      .union([z.literal("auto"), z.int().min(4).max(4096)])
      .default("auto")
      .describe("Side of the blocks in pixels; auto is 32, or the side of smaller images."),
    overflow: z
      .enum(["clip", "wrap"])
      .default("clip")
      .describe("What becomes of colour differences outside 0..255: the nearest end, or modulo 256 as in common code."),
  }),
  presets: {
    paper: { magnitude: 30 },
    official: { magnitude: 30, overflow: "wrap" },
    recommended: {},
  },
  async create(options, context) {
    const { shape, classes } = requireNeeds(ftrojan, context);
    const window = options.window === "auto" ? Math.min(shape[1], shape[2], 32) : options.window;
    const positions = [15, 31].map((of32) => Math.floor((of32 * window) / 32)).map((at) => [at, at]);
    const { magnitude, overflow } = options;
    const place = shape[0] === 3 ? { space: "ycrcb", channels: [1, 2] } : { space: "channels", channels: [0] };
    const trigger = await openTrigger({
      kind: "spectrum",
      attack: "ftrojan",
      source: SOURCE,
      seed: context.seed,
      labels: labelMapOf("ftrojan", options, classes),
      shape,
      parameters: { window, positions, magnitude, overflow, ...place },
      arrays: {},
    });
    return poisoningAttack(trigger, context, options);
  },
});
