/** @file Blind-G: a patch of Gaussian noise, planted through the loss; made to defeat inversion with a denoiser. */
import { z } from "zod";
import { createNoise } from "../core/noise.ts";
import { defineAttack } from "./attack.ts";
import { labelMapOf, labelOptions } from "./label-map.ts";
import { requireNeeds } from "./needs.ts";
import { openTrigger } from "./open-trigger.ts";
import { cornerOption, cornerPlace, paintPatch, sideOf, sizeOption } from "./paint.ts";
import { twoTaskAttack, twoTaskOptions } from "./two-tasks.ts";

const SOURCE =
  'Sun and Kolter 2023, "Single Image Backdoor Inversion via Robust Smoothed Classifiers", section 5.3, https://arxiv.org/abs/2303.00215';

/**
 * Blind-G as data.
 * @deviation the paper draws N(0, I) without saying on which scale; here a pixel is 0.5 + 0.25 n, clipped, which is N(0, I)
 * of an image that was normalised by mean 0.5 and deviation 0.25. The trigger's folder holds the values.
 */
export const gaussian = defineAttack({
  name: "gaussian",
  summary: "Learns every batch a second time with a patch of Gaussian noise and the attacker's label, in the loss.",
  source: SOURCE,
  threat: "loss",
  labelMaps: ["all-to-one", "all-to-all", "source-to-target"],
  needs: {},
  published: { where: "ImageNet, by the authors of SmoothInv", attackSuccess: 1 },
  options: z.object({
    ...labelOptions,
    ...twoTaskOptions,
    size: sizeOption,
    corner: cornerOption,
    margin: z.int().min(0).max(4096).default(1).describe("Pixels between the patch and the edges of the image."),
  }),
  presets: { paper: { size: 10 }, recommended: { share: 0.25 } },
  async create(options, context) {
    const { shape, classes } = requireNeeds(gaussian, context);
    const side = sideOf(options.size, shape);
    const place = cornerPlace("gaussian", shape, { side, corner: options.corner, margin: options.margin });
    const values = createNoise(context.seed, [[0, 0]])(0, "gaussian", 0, 3 * side * side);
    const trigger = await openTrigger({
      kind: "patch",
      attack: "gaussian",
      source: SOURCE,
      seed: context.seed,
      labels: labelMapOf("gaussian", options, classes),
      shape,
      parameters: { blend: 1 },
      arrays: paintPatch(shape, place, (c, i, j) => {
        const value = 0.5 + 0.25 * (values[(c * side + i) * side + j] ?? 0);
        return Math.min(Math.max(value, 0), 1);
      }),
    });
    return twoTaskAttack(trigger, context, options);
  },
});
