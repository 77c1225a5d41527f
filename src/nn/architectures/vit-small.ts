/** @file A small vision transformer. */
import { z } from "zod";
import { OptionError } from "../../core/errors.ts";
import { withClassToken } from "../layers/class-token.ts";
import { classScores } from "../layers/head.ts";
import { layerNorm } from "../layers/layer-norm.ts";
import { patchTokens, pickToken } from "../layers/tokens.ts";
import { transformerBlock } from "../layers/transformer-block.ts";
import { defineArchitecture } from "./architecture.ts";

/** Added to variances, as in timm. */
const EPS = 1e-6;

/** Attention compares every patch with every other. */
const MOST_PATCHES = 16_384;

/** Patches as tokens beside a token for the class, in blocks of attention and perceptron. */
export const vitSmall = defineArchitecture({
  name: "vit-small",
  summary: "A vision transformer: patches as tokens, 12 blocks of attention with 6 heads, width 384.",
  source:
    'Dosovitskiy et al. 2021, "An Image is Worth 16x16 Words", https://arxiv.org/abs/2010.11929; width, heads and tensors as timm vit_small_patch16_224',
  options: z.object({
    patch: z
      .int()
      .min(1)
      .max(64)
      .default(4)
      .describe("Pixels along a patch, which must divide height and width; 16 is usual for 224 pixels."),
    depth: z.int().min(1).max(32).default(12).describe("Number of blocks."),
    width: z.int().min(1).max(1024).default(384).describe("Channels of a token; a multiple of heads."),
    heads: z.int().min(1).max(64).default(6).describe("Heads of attention."),
  }),
  minimumSize: ({ patch }) => patch,
  write(net, image, { options: { patch, depth, width, heads }, classes }) {
    const { height, width: columns } = image;
    if (width % heads !== 0) {
      throw new OptionError(`vit-small: expected a width that is a multiple of ${heads} heads, got ${width}.`);
    }
    if (height % patch !== 0 || columns % patch !== 0) {
      throw new OptionError(
        `vit-small: expected a patch that divides ${height}x${columns} pixels, got ${patch}. Do choose another patch or image size.`,
      );
    }
    const count = (height / patch) * (columns / patch);
    if (count > MOST_PATCHES) {
      throw new OptionError(
        `vit-small: expected at most ${MOST_PATCHES} patches, got ${count}; because ${height}x${columns} pixels have so many of ${patch}x${patch}. Do choose a larger patch.`,
      );
    }
    const patches = patchTokens(net, "patch_embed.proj", image, { patch, channels: width });
    const dims = [1, patches.count + 1, width];
    let x = withClassToken(net, patches, net.b.weight("pos_embed", net.weights.take("pos_embed", dims)));
    for (let i = 0; i < depth; i++) {
      x = transformerBlock(net, `blocks.${i}`, x, { heads, hidden: 4 * width, eps: EPS });
    }
    return classScores(net, "head", pickToken(net, layerNorm(net, "norm", x, { eps: EPS }), 0), classes);
  },
});
