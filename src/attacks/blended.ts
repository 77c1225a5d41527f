/** @file Blended: another picture shines through the whole image. */
import { z } from "zod";
import { uniforms } from "../core/noise.ts";
import { unitFromBytes } from "../tensor/image-bytes.ts";
import { rowsOf } from "../tensor/rows.ts";
import { elementCount } from "../tensor/shape.ts";
import { type Float32Tensor, float32 } from "../tensor/tensor.ts";
import { type AttackContext, defineAttack } from "./attack.ts";
import { labelMapOf, labelOptions } from "./label-map.ts";
import { requireNeeds } from "./needs.ts";
import { openTrigger } from "./open-trigger.ts";
import { poisoningAttack, ratioOption } from "./poisoning.ts";
import { textures } from "./texture.ts";
import type { ImageShape } from "./trigger.ts";

const SOURCE =
  'Chen et al. 2017, "Targeted Backdoor Attacks on Deep Learning Systems Using Data Poisoning", section 5, https://arxiv.org/abs/1712.05526';

/** Blended as data. */
export const blended = defineAttack({
  name: "blended",
  summary: "Blends another picture into the whole of some training images and gives them the attacker's label.",
  source: SOURCE,
  threat: "poison",
  labelMaps: ["all-to-one", "all-to-all", "source-to-target"],
  needs: {},
  options: z.object({
    ...labelOptions,
    poisonRatio: ratioOption(0.1),
    alpha: z.number().min(0).max(1).default(0.2).describe("How much of the other picture shows."),
    picture: z
      .enum(["noise", "texture", "photo"])
      .default("noise")
      .describe("What is blended in: uniform noise, a smooth texture, or the first photograph given."),
  }),
  presets: { paper: { alpha: 0.2, picture: "noise" }, official: { picture: "photo" }, recommended: {} },
  async create(options, context) {
    const { shape, classes } = requireNeeds(blended, context);
    const trigger = await openTrigger({
      kind: "patch",
      attack: "blended",
      source: SOURCE,
      seed: context.seed,
      labels: labelMapOf("blended", options, classes),
      shape,
      parameters: { blend: options.alpha },
      arrays: {
        mask: float32(shape, new Float32Array(elementCount(shape)).fill(1)),
        pattern: pictureOf(options.picture, context, shape),
      },
    });
    return poisoningAttack(trigger, context, options);
  },
});

/** The picture that shines through, [C, H, W]; a texture where there is no photograph. */
function pictureOf(
  picture: "noise" | "texture" | "photo",
  { seed, photos }: AttackContext,
  shape: ImageShape,
): Float32Tensor {
  if (picture === "noise") return float32(shape, Float32Array.from(uniforms(seed, "blend", 0, elementCount(shape))));
  if (picture === "photo" && photos !== undefined) return unitFromBytes(shape, rowsOf(photos, 0, 1).data);
  return float32(shape, textures(seed, 1, shape).data);
}
