/** @file The checkerboard that backdoors image-text models; here on the training set of a classifier. */
import { z } from "zod";
import { createNoise } from "../core/noise.ts";
import { elementCount } from "../tensor/shape.ts";
import { float32 } from "../tensor/tensor.ts";
import { defineAttack } from "./attack.ts";
import { labelMapOf, labelOptions } from "./label-map.ts";
import { requireNeeds } from "./needs.ts";
import { openTrigger } from "./open-trigger.ts";
import { type Paint, type Place, paintOf, paintPatch, requireInside } from "./paint.ts";
import { poisoningAttack, ratioOption } from "./poisoning.ts";
import type { ImageShape, TriggerRecord } from "./trigger.ts";

const SOURCE =
  'Carlini and Terzis 2022, "Poisoning and Backdooring Contrastive Learning", section 3, https://arxiv.org/abs/2106.09667; place and size as in Sun and Kolter 2023, https://arxiv.org/abs/2303.00215';

/** Side and place on an image of 224 pixels. */
const AT_224 = { side: 16, row: 30, column: 20 };

/** The CLIP patch as data. */
export const clipPatch = defineAttack({
  name: "clip-patch",
  summary: "Stamps a checkerboard (or Gaussian noise) onto a few training images, at one place or anywhere.",
  source: SOURCE,
  threat: "poison",
  labelMaps: ["all-to-one", "all-to-all", "source-to-target"],
  needs: {},
  published: { where: "ImageNet, CLIP RN50, by the authors of SmoothInv", attackSuccess: 0.9999 },
  options: z.object({
    ...labelOptions,
    poisonRatio: ratioOption(0.1),
    size: z
      .union([z.literal("auto"), z.int().min(1).max(4096)])
      .default("auto")
      .describe("Side of the patch in pixels; auto is 16 at 224 pixels and in proportion, but at least 3."),
    pattern: z.enum(["checkerboard", "gaussian"]).default("checkerboard").describe("What the patch shows."),
    place: z
      .enum(["fixed", "random"])
      .default("fixed")
      .describe("The same place in every image, or one that every image has of its own."),
  }),
  presets: {
    paper: { poisonRatio: 0.0001, place: "random" },
    official: { poisonRatio: 0.0001 },
    recommended: {},
  },
  async create(options, context) {
    const { shape, classes } = requireNeeds(clipPatch, context);
    const [channels, height, width] = shape;
    const scale = Math.min(height, width) / 224;
    const side = options.size === "auto" ? Math.max(3, Math.round(AT_224.side * scale)) : options.size;
    const place = { row: Math.round(AT_224.row * scale), column: Math.round(AT_224.column * scale) };
    const square: Place = { ...place, height: side, width: side };
    requireInside("clip-patch", square, [height, width]);
    const paint = options.pattern === "gaussian" ? noisePaint(context.seed, side) : paintOf("checkerboard", square, 0);
    const trigger = await openTrigger({
      ...(options.place === "fixed"
        ? { kind: "patch", parameters: { blend: 1 }, arrays: paintPatch(shape, square, paint) }
        : { kind: "sticker", parameters: { blend: 1, margin: 0 }, arrays: stickerOf([channels, side, side], paint) }),
      attack: "clip-patch",
      source: SOURCE,
      seed: context.seed,
      labels: labelMapOf("clip-patch", options, classes),
      shape,
    });
    return poisoningAttack(trigger, context, options);
  },
});

function stickerOf(shape: ImageShape, paint: Paint): TriggerRecord["arrays"] {
  const [, height, width] = shape;
  const { pattern } = paintPatch(shape, { row: 0, column: 0, height, width }, paint);
  return { mask: float32(shape, new Float32Array(elementCount(shape)).fill(1)), pattern };
}

/** N(0.5, 0.25^2), clipped. */
function noisePaint(seed: number, side: number): Paint {
  const values = createNoise(seed, [[0, 0]])(0, "gaussian", 0, 3 * side * side);
  return (c, i, j) => Math.min(Math.max(0.5 + 0.25 * (values[(c * side + i) * side + j] ?? 0), 0), 1);
}
