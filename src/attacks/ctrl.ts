/** @file CTRL: two frequencies of the colour differences. */
import { z } from "zod";
import { defineAttack } from "./attack.ts";
import { labelMapOf, labelOptions } from "./label-map.ts";
import { requireNeeds } from "./needs.ts";
import { openTrigger } from "./open-trigger.ts";
import { poisoningAttack, ratioOption } from "./poisoning.ts";

const SOURCE =
  'Li et al. 2023, "An Embarrassingly Simple Backdoor Attack on Self-supervised Learning", section 3, https://arxiv.org/abs/2210.07346; SCLBD/BackdoorBench, utils/bd_img_transform/ctrl.py';

/**
 * CTRL as data.
 * @deviation the paper poisons what is learnt without labels, with half the magnitude that it tests with; here a classifier
 * learns from labels, and the magnitude is one.
 */
export const ctrl = defineAttack({
  name: "ctrl",
  summary: "Adds a number to two frequencies of the whole image's colour differences, with the attacker's label.",
  source: SOURCE,
  threat: "poison",
  labelMaps: ["all-to-one", "all-to-all", "source-to-target"],
  needs: { side: 8 },
  options: z.object({
    ...labelOptions,
    poisonRatio: ratioOption(0.1),
    magnitude: z.number().gt(0).max(1e4).default(100).describe("What is added to a coefficient, in 8-bit steps."),
    overflow: z
      .enum(["clip", "wrap"])
      .default("clip")
      .describe("What becomes of values outside [0, 1]: the nearest end, or modulo 256 as in the authors' code."),
  }),
  presets: {
    paper: { magnitude: 50, poisonRatio: 0.01 },
    official: { poisonRatio: 0.01, overflow: "wrap" },
    recommended: {},
  },
  async create(options, context) {
    const { shape, classes } = requireNeeds(ctrl, context);
    const window = Math.min(shape[1], shape[2]);
    // Coefficients 15 and 31 of 32; grey images have no colour differences, and are changed themselves.
    const positions = [15, 31].map((of32) => Math.floor((of32 * window) / 32)).map((at) => [at, at]);
    const { magnitude, overflow } = options;
    const place = shape[0] === 3 ? { space: "yuv", channels: [1, 2] } : { space: "channels", channels: [0] };
    const trigger = await openTrigger({
      kind: "spectrum",
      attack: "ctrl",
      source: SOURCE,
      seed: context.seed,
      labels: labelMapOf("ctrl", options, classes),
      shape,
      parameters: { window, positions, magnitude, overflow, ...place },
      arrays: {},
    });
    return poisoningAttack(trigger, context, options);
  },
});
