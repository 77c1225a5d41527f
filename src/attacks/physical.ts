/** @file The backdoor attack in the physical world: BadNets whose training survives cameras, and so light purification. */
import { z } from "zod";
import { uniformFromNoise } from "../core/noise.ts";
import { defineAttack } from "./attack.ts";
import { patchOptions } from "./badnets.ts";
import { labelMapOf, labelOptions } from "./label-map.ts";
import { requireNeeds } from "./needs.ts";
import { openTrigger } from "./open-trigger.ts";
import { cornerPlace, paintOf, paintPatch, sideOf } from "./paint.ts";
import { poisoningAttack, ratioOption } from "./poisoning.ts";
import { PHYSICAL_DRAWS, physicalChange } from "./transforms/physical.ts";

const SOURCE =
  'Li et al. 2021, "Backdoor Attack in the Physical World", https://arxiv.org/abs/2104.02361; THUYimingLi/BackdoorBox, core/attacks/PhysicalBA.py';

/** Smallest scale of the physical changes. */
const LEAST = 0.8;

/**
 * The physical attack as data.
 * @deviation the affine map is bilinear; the authors' takes the nearest pixel.
 */
export const physical = defineAttack({
  name: "physical",
  summary: "BadNets, with all training images mirrored, brightened, turned, shifted and shrunk after the trigger.",
  source: SOURCE,
  threat: "poison",
  labelMaps: ["all-to-one", "all-to-all", "source-to-target"],
  needs: { side: 8 },
  published: { where: "CIFAR-10, ResNet-34, by the authors of ZIP", cleanAccuracy: 0.9477, attackSuccess: 0.9999 },
  options: z.object({
    ...labelOptions,
    poisonRatio: ratioOption(0.1),
    ...patchOptions,
    jitter: z.number().min(0).max(1).default(0.2).describe("Largest change of brightness and contrast, as a share."),
    angle: z.number().min(0).max(180).default(10).describe("Largest angle in degrees, either way."),
    shift: z.number().min(0).max(0.5).default(0.1).describe("Largest shift, as a share of the side."),
    scale: z
      .number()
      .min(LEAST)
      .max(2)
      .default(0.9)
      .describe("Largest scale; the smallest is 0.8. Above 1 images are also seen larger than they are."),
  }),
  presets: { paper: { poisonRatio: 0.05, margin: 0, target: 1 }, recommended: { scale: 1 } },
  async create(options, context) {
    const { shape, classes } = requireNeeds(physical, context);
    const side = sideOf(options.size, shape);
    const place = cornerPlace("physical", shape, { side, corner: options.corner, margin: options.margin });
    const trigger = await openTrigger({
      kind: "patch",
      attack: "physical",
      source: SOURCE,
      seed: context.seed,
      labels: labelMapOf("physical", options, classes),
      shape,
      parameters: { blend: options.opacity },
      arrays: paintPatch(shape, place, paintOf(options.pattern, place, context.seed)),
    });
    const { jitter, angle, shift, scale } = options;
    return {
      ...poisoningAttack(trigger, context, options),
      augment: async (images, { noise, step }) =>
        physicalChange(images, { jitter, rotation: angle, shift, scale: [LEAST, scale] }, (row) =>
          uniformFromNoise(noise, row, "physical", step, PHYSICAL_DRAWS),
        ),
    };
  },
});
