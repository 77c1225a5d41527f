/** @file Refool: a reflection in a pane of glass. */
import { z } from "zod";
import { OptionError } from "../core/errors.ts";
import { bytesFromUnit } from "../tensor/image-bytes.ts";
import { rowsOf } from "../tensor/rows.ts";
import type { TensorOf } from "../tensor/tensor.ts";
import { type AttackContext, defineAttack } from "./attack.ts";
import { labelMapOf, labelOptions } from "./label-map.ts";
import { requireNeeds } from "./needs.ts";
import { openTrigger } from "./open-trigger.ts";
import { poisoningAttack, ratioOption } from "./poisoning.ts";
import { textures } from "./texture.ts";
import type { ImageShape } from "./trigger.ts";

const SOURCE =
  'Liu et al. 2020, "Reflection Backdoor: A Natural Backdoor Attack on Deep Neural Networks", section 3, https://arxiv.org/abs/2007.02343; DreamtaleCore/Refool; SCLBD/BackdoorBench, attack/refool.py';

/** The longer side of the images that the authors' reflections are made on, and what they draw there, in pixels. */
const PUBLISHED = { side: 560, offset: [3, 8], sigma: [1, 5] };

/**
 * Refool as data.
 * @deviation the authors poison images of the target class, and choose among 200 pictures those that fool a model most;
 * here, as in common benchmarks, images of any class get the attacker's label, and pictures are taken as they come.
 */
export const refool = defineAttack({
  name: "refool",
  summary: "Reflects another picture in some training images, doubled or out of focus, with the attacker's label.",
  source: SOURCE,
  threat: "poison",
  labelMaps: ["all-to-one", "all-to-all", "source-to-target"],
  needs: { side: 16 },
  options: z.object({
    ...labelOptions,
    poisonRatio: ratioOption(0.1),
    alphaMin: z.number().min(0).max(1).default(0.4).describe("Smallest share of an image's own light that remains."),
    alphaMax: z.number().min(0).max(1).default(0.4).describe("Largest share of an image's own light that remains."),
    ghostRate: z
      .number()
      .min(0)
      .max(1)
      .default(0.49)
      .describe("Share of reflections that are doubled; others are blurred."),
    pictures: z.int().min(1).max(1000).default(16).describe("How many pictures are reflected, photographs first."),
    geometry: z
      .enum(["visible", "published"])
      .default("visible")
      .describe("Distances and blurs: as published on images of twice the side, or in proportion to 560 pixels."),
  }),
  presets: {
    paper: { alphaMin: 0.55, alphaMax: 0.95, geometry: "published" },
    official: { geometry: "published" },
    recommended: {},
  },
  async create(options, context) {
    const { shape, classes } = requireNeeds(refool, context);
    const { alphaMin, alphaMax, ghostRate } = options;
    if (alphaMin > alphaMax) {
      throw new OptionError(`refool: expected alphaMin of at most alphaMax, got ${alphaMin} and ${alphaMax}.`);
    }
    const own = Math.max(shape[1], shape[2]);
    const side = Math.min((options.geometry === "visible" ? 2 : 4) * own, PUBLISHED.side);
    const scale = options.geometry === "visible" ? 1 : side / PUBLISHED.side;
    const trigger = await openTrigger({
      kind: "reflection",
      attack: "refool",
      source: SOURCE,
      seed: context.seed,
      labels: labelMapOf("refool", options, classes),
      shape,
      parameters: {
        alpha: [alphaMin, alphaMax],
        ghostRate,
        offset: PUBLISHED.offset.map((pixels) => Math.max(1, Math.round(scale * pixels))),
        sigma: PUBLISHED.sigma.map((pixels) => scale * pixels),
        side,
      },
      arrays: { pictures: poolOf(context, shape, options.pictures) },
    });
    return poisoningAttack(trigger, context, options);
  },
});

/** Photographs where there are some, else textures. */
function poolOf({ photos, seed }: AttackContext, shape: ImageShape, count: number): TensorOf<"uint8"> {
  if (photos !== undefined) return rowsOf(photos, 0, Math.min(count, photos.dims[0] ?? 0));
  const drawn = textures(seed, count, shape);
  return { dtype: "uint8", dims: drawn.dims, data: bytesFromUnit(drawn) };
}
