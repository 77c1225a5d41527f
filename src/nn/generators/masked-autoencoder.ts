/**
 * @file A masked auto-encoder: a vision transformer that sees some patches of an image and paints the others.
 *
 * | here    | paper                  | meaning                                   |
 * |---------|------------------------|-------------------------------------------|
 * | patches | N                      | number of patches of an image             |
 * | mask    | mask tokens' positions | 1 where a patch is hidden, 0 where seen   |
 * | encoder | encoder                | works on visible patches and a class token |
 * | decoder | decoder                | works on all, one learned token where hidden |
 */
import { z } from "zod";
import { parseOptions } from "../../core/descriptor.ts";
import { OptionError } from "../../core/errors.ts";
import { GraphBuilder } from "../../graph/builder.ts";
import type { Graph, ValueName } from "../../graph/ir.ts";
import type { Weights } from "../checkpoints/weights.ts";
import { withClassToken } from "../layers/class-token.ts";
import { layerNorm } from "../layers/layer-norm.ts";
import { addTokens, patchTokens, type Tokens, tokenLinear } from "../layers/tokens.ts";
import { transformerBlock } from "../layers/transformer-block.ts";
import { type FeatureMap, mapValue, type Net } from "../net.ts";
import { checkDivides, checkImage, type ImageDims } from "./check-image.ts";
import { fillHidden, hiddenPatches, onlyVisible, unseen } from "./hidden-tokens.ts";
import { pixelsOfPatches } from "./patch-pixels.ts";
import { type PatchGrid, sincosPlaces } from "./sincos-positions.ts";

const NAME = "masked-autoencoder";
/** Added to variances, as in the authors' code. */
const EPS = 1e-6;
/** Attention compares every patch with every other. */
const MOST_PATCHES = 16_384;

const layers = z.int().min(1).max(32);
const channels = z.int().min(4).max(1024);

/** Options of a masked auto-encoder. */
export const maskedAutoencoderOptions = z.object({
  patch: z
    .int()
    .min(1)
    .max(64)
    .default(4)
    .describe("Pixels along a patch, which must divide height and width; 16 is usual for 224 pixels."),
  width: channels.default(128).describe("Channels of a token in the encoder; a multiple of 4 and of heads."),
  depth: layers.default(4).describe("Blocks of the encoder."),
  heads: z.int().min(1).max(64).default(4).describe("Heads of attention in the encoder."),
  decoderWidth: channels.default(64).describe("Channels of a token in the decoder; a multiple of 4 and of its heads."),
  decoderDepth: layers.default(2).describe("Blocks of the decoder."),
  decoderHeads: z.int().min(1).max(64).default(4).describe("Heads of attention in the decoder."),
  mean: z
    .array(z.number())
    .min(1)
    .default([0.5])
    .describe("Subtracted from pixels in [0, 1]: one number, or one a channel."),
  std: z
    .array(z.number().positive())
    .min(1)
    .default([0.5])
    .describe("Pixels are divided by it then: one number, or one a channel."),
});

/** Options of a masked auto-encoder, complete. */
export type MaskedAutoencoderOptions = z.output<typeof maskedAutoencoderOptions>;

/** What a masked auto-encoder looks at. */
export interface MaskedImages {
  /** Pixels in [0, 1]. */
  readonly image: FeatureMap;
  /** float32 [N, patches], row by row: 1 hides a patch, 0 shows it. */
  readonly mask: ValueName;
}

/** How many patches there are. @throws ShapeError when patches do not fill the image; OptionError when there are too many. */
export function patchGrid(
  { height, width }: Omit<ImageDims, "channels">,
  { patch }: { readonly patch: number },
): PatchGrid {
  checkDivides(NAME, { channels: 1, height, width }, { of: patch, because: `patches have ${patch}x${patch} pixels` });
  const grid = { rows: height / patch, columns: width / patch };
  if (grid.rows * grid.columns <= MOST_PATCHES) return grid;
  throw new OptionError(
    `${NAME}: expected at most ${MOST_PATCHES} patches, got ${grid.rows * grid.columns}; because ${height}x${width} pixels have so many of ${patch}x${patch}. Do choose a larger patch.`,
  );
}

/**
 * Paints the hidden patches of an image. What comes out for visible ones means nothing and is not clamped: the caller
 * keeps their own pixels.
 * @param visible patches that every image of a batch shows, where that is known, as in training: the encoder then works
 * on those only. Left out, any number may be hidden, none and all too; results are the same.
 * @returns pixels in about [0, 1], of the image's dims.
 * @throws OptionError when options contradict each other; ShapeError when patches do not fill the image; FormatError as
 * {@link Weights.take}.
 * @source He et al. 2022, "Masked Autoencoders Are Scalable Vision Learners", section 3. https://arxiv.org/abs/2111.06377;
 * tensors as facebookresearch/mae, models_mae.py
 * @deviation without `visible`, the encoder also computes hidden patches, which nobody attends to, in place of leaving
 * them out: a graph of one shape then takes any mask. Pixels are always predicted as they are, never normalised by patch.
 */
export function maskedAutoencoder(
  net: Net,
  { image, mask }: MaskedImages,
  options: MaskedAutoencoderOptions & { readonly visible?: number | undefined },
): FeatureMap {
  const { patch, width, depth, heads, decoderWidth, decoderDepth, decoderHeads, visible } = options;
  checkWidth("width", width, heads);
  checkWidth("decoderWidth", decoderWidth, decoderHeads);
  checkColours("mean", options.mean, image.channels);
  checkColours("std", options.std, image.channels);
  const grid = patchGrid(image, options);
  const hidden = hiddenPatches(net, mask);

  const normal = standardised(net, image, options);
  const patches = patchTokens(net, "patch_embed.proj", normal, { patch, channels: width });
  const all = withClassToken(net, patches, sincosPlaces(net, "pos_embed", grid, width));
  const { tokens, keyBias, restore } =
    visible === undefined ? unseen(net, all, hidden) : onlyVisible(net, all, { hidden, visible });
  let x: Tokens = tokens;
  for (let i = 0; i < depth; i++) {
    x = transformerBlock(net, `blocks.${i}`, x, { heads, hidden: 4 * width, eps: EPS, keyBias });
  }
  const seen = tokenLinear(net, "decoder_embed", layerNorm(net, "norm", x, { eps: EPS }), decoderWidth);

  const places = sincosPlaces(net, "decoder_pos_embed", grid, decoderWidth);
  let y = fillHidden(net, "mask_token", restore(seen), hidden);
  y = addTokens(net, y, { ...y, value: places });
  for (let i = 0; i < decoderDepth; i++) {
    y = transformerBlock(net, `decoder_blocks.${i}`, y, { heads: decoderHeads, hidden: 4 * decoderWidth, eps: EPS });
  }
  const painted = tokenLinear(
    net,
    "decoder_pred",
    layerNorm(net, "decoder_norm", y, { eps: EPS }),
    patch ** 2 * image.channels,
  );
  return asPixels(net, pixelsOfPatches(net, withoutClassToken(net, painted), { ...grid, patch }), options);
}

/** What {@link buildMaskedAutoencoder} builds. */
export interface MaskedAutoencoderPlan {
  /** Raw options; each has a default. */
  readonly options?: z.input<typeof maskedAutoencoderOptions>;
  readonly dims: ImageDims;
  /** Fresh weights, or those of a checkpoint. */
  readonly weights: Weights;
  /** As that of {@link maskedAutoencoder}. */
  readonly visible?: number | undefined;
}

/**
 * A masked auto-encoder as a whole graph. Inputs: `pixel_values` float32 [N, C, H, W] in [0, 1], `mask` float32
 * [N, patches]; output: `prediction` [N, C, H, W].
 * @throws OptionError for unknown options and such out of range, and what {@link maskedAutoencoder} throws.
 */
export function buildMaskedAutoencoder({ options = {}, dims, weights, visible }: MaskedAutoencoderPlan): Graph {
  checkImage(NAME, dims);
  const parsed = parseOptions({ name: NAME, options: maskedAutoencoderOptions }, options);
  const { rows, columns } = patchGrid(dims, parsed);
  if (visible !== undefined && !(Number.isInteger(visible) && visible >= 1 && visible <= rows * columns)) {
    throw new OptionError(`${NAME}: expected from 1 to ${rows * columns} visible patches, got ${visible}.`);
  }
  const b = new GraphBuilder();
  const { channels, height, width } = dims;
  const value = b.input("pixel_values", "float32", ["N", channels, height, width]);
  const mask = b.input("mask", "float32", ["N", rows * columns]);
  const painted = maskedAutoencoder({ b, weights }, { image: { ...dims, value }, mask }, { ...parsed, visible });
  b.output("prediction", painted.value, "float32", ["N", channels, height, width]);
  return b.build(NAME);
}

function checkWidth(option: "width" | "decoderWidth", count: number, heads: number): void {
  if (count % 4 === 0 && count % heads === 0) return;
  throw new OptionError(
    `${NAME}: option "${option}": expected a multiple of 4 and of ${heads} heads, got ${count}; because places are waves over two axes.`,
  );
}

function checkColours(option: "mean" | "std", { length }: readonly number[], channels: number): void {
  if (length === 1 || length === channels) return;
  throw new OptionError(`${NAME}: option "${option}": expected 1 or ${channels} numbers, got ${length}.`);
}

function withoutClassToken({ b }: Net, x: Tokens): Tokens {
  return { ...x, count: x.count - 1, value: b.op("Slice", [x.value, b.ints(1), b.ints(x.count), b.ints(1)]) };
}

function standardised({ b }: Net, image: FeatureMap, options: MaskedAutoencoderOptions): FeatureMap {
  const centred = b.op("Sub", [image.value, perColour(b, options, "mean")]);
  return mapValue(image, b.op("Div", [centred, perColour(b, options, "std")]));
}

function asPixels({ b }: Net, x: FeatureMap, options: MaskedAutoencoderOptions): FeatureMap {
  const scaled = b.op("Mul", [x.value, perColour(b, options, "std")]);
  return mapValue(x, b.op("Add", [scaled, perColour(b, options, "mean")]));
}

/** One number, or one a channel, as a constant that spreads over images. */
function perColour(b: GraphBuilder, options: MaskedAutoencoderOptions, name: "mean" | "std"): ValueName {
  const values = options[name];
  return b.constant({ dtype: "float32", dims: [1, values.length, 1, 1], data: Float32Array.from(values) });
}
