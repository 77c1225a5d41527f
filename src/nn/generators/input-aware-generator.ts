/**
 * @file The generators of the input-aware attack: encoder and decoder that make a pattern, or a mask, from each image.
 *
 * | here    | paper | meaning                                     |
 * |---------|-------|---------------------------------------------|
 * | pattern | G(x)  | what the trigger looks like on this image   |
 * | mask    | M(x)  | where it lies, softly                       |
 */
import { z } from "zod";
import { parseOptions } from "../../core/descriptor.ts";
import { GraphBuilder } from "../../graph/builder.ts";
import type { Graph } from "../../graph/ir.ts";
import type { Weights } from "../checkpoints/weights.ts";
import { activate } from "../layers/activation.ts";
import { batchNorm } from "../layers/batch-norm.ts";
import { conv2d } from "../layers/conv.ts";
import { affine } from "../layers/elementwise.ts";
import { maxPool } from "../layers/pool.ts";
import { upsampleBilinear } from "../layers/resample.ts";
import { type FeatureMap, mapValue, type Net } from "../net.ts";
import { checkDivides, checkImage, type ImageDims } from "./check-image.ts";

const NAME = "input-aware-generator";
/** How much of a batch enters the statistics of the norms. */
const MOMENTUM = 0.05;

/** Options of the generators; what is left out follows from the images, as in the authors' code. */
export const inputAwareOptions = z.object({
  width: z
    .int()
    .min(1)
    .max(512)
    .optional()
    .describe("Channels of the first level, doubled on each one after it: 16 for grey images, 32 for others."),
  levels: z
    .int()
    .min(1)
    .max(6)
    .optional()
    .describe(
      "How often the size is halved: twice for grey images, otherwise three times; fewer where it is not even.",
    ),
});

/** Raw options of the generators. */
export type InputAwareOptions = z.input<typeof inputAwareOptions>;

/** What a generator makes: as many channels as the image has, in [0, 1]; or one, near 0 or 1 almost everywhere. */
export type InputAwareKind = "pattern" | "mask";

/**
 * One generator. Tensors are named as in the authors' code, after the generator's name and a dot.
 * @param image pixels in [0, 1]. @returns `pattern`: values in [0, 1]; `mask`: one channel, already sharpened.
 * @throws OptionError for options out of range; ShapeError when the size does not halve evenly so often; FormatError as
 * {@link Weights.take}.
 * @source Nguyen and Tran 2020, "Input-Aware Dynamic Backdoor Attack", section 4. https://arxiv.org/abs/2010.08138;
 * VinAIResearch/input-aware-backdoor-attack-release, networks/models.py
 * @deviation takes pixels as they are, where the authors' code normalises them first: the first norm undoes the
 * difference. Convolutions have no bias: a norm behind each takes it away.
 */
export function inputAwareGenerator(
  net: Net,
  name: string,
  image: FeatureMap,
  { kind, ...raw }: InputAwareOptions & { readonly kind: InputAwareKind },
): FeatureMap {
  const { width, levels } = complete(image, parseOptions({ name: NAME, options: inputAwareOptions }, raw));
  checkDivides(NAME, image, { of: 2 ** levels, because: `${levels} levels halve them` });
  const at = (level: number): number => width * 2 ** level;
  let x = image;
  for (let level = 0; level < levels; level++) {
    x = block(net, `${name}.convblock_down_${2 * level}`, x, at(level));
    x = block(net, `${name}.convblock_down_${2 * level + 1}`, x, at(level));
    x = maxPool(net, x, { kernel: 2 });
  }
  x = block(net, `${name}.convblock_middle`, x, at(levels - 1));
  for (let step = 0; step < levels; step++) {
    const level = levels - 1 - step;
    x = block(net, `${name}.convblock_up_${2 * step}`, upsampleBilinear(net, x), at(level));
    if (level > 0) x = block(net, `${name}.convblock_up_${2 * step + 1}`, x, at(level - 1));
  }
  const channels = kind === "mask" ? 1 : image.channels;
  const last = unitTanh(net, normed(net, `${name}.convblock_up_${2 * levels - 1}`, x, channels));
  return kind === "mask" ? unitTanh(net, affine(net, last, 20, -10)) : last;
}

/** What {@link buildInputAware} builds. */
export interface InputAwarePlan {
  /** Raw options of both generators. */
  readonly options?: InputAwareOptions;
  readonly dims: ImageDims;
  /** Fresh weights, or those of a checkpoint. */
  readonly weights: Weights;
}

/**
 * Both generators and what they do to an image. Input: `pixel_values` float32 [N, C, H, W] in [0, 1]. Outputs: `pattern`
 * of the same dims, `mask` [N, 1, H, W], and `images`: x + mask * (pattern - x). The tensors of one begin with `pattern.`,
 * those of the other with `mask.`, so that either can be trained alone.
 * @throws what {@link inputAwareGenerator} throws, and OptionError for impossible dims.
 * @source Nguyen and Tran 2020, section 4
 */
export function buildInputAware({ options = {}, dims, weights }: InputAwarePlan): Graph {
  checkImage(NAME, dims);
  const b = new GraphBuilder();
  const { channels, height, width } = dims;
  const shape = ["N", channels, height, width];
  const image = { ...dims, value: b.input("pixel_values", "float32", shape) };
  const net = { b, weights };
  const pattern = inputAwareGenerator(net, "pattern", image, { ...options, kind: "pattern" });
  const mask = inputAwareGenerator(net, "mask", image, { ...options, kind: "mask" });
  const change = b.op("Mul", [mask.value, b.op("Sub", [pattern.value, image.value])]);
  b.output("pattern", pattern.value, "float32", shape);
  b.output("mask", mask.value, "float32", ["N", 1, height, width]);
  b.output("images", b.op("Add", [image.value, change]), "float32", shape);
  return b.build("input-aware");
}

function complete(
  { channels, height, width }: ImageDims,
  options: z.output<typeof inputAwareOptions>,
): { width: number; levels: number } {
  const usual = channels === 1 ? { width: 16, levels: 2 } : { width: 32, levels: 3 };
  while (usual.levels > 1 && (height % 2 ** usual.levels !== 0 || width % 2 ** usual.levels !== 0)) usual.levels -= 1;
  return { width: options.width ?? usual.width, levels: options.levels ?? usual.levels };
}

function normed(net: Net, name: string, x: FeatureMap, channels: number): FeatureMap {
  const h = conv2d(net, `${name}.conv2d`, x, { channels, bias: false });
  return batchNorm(net, `${name}.batch_norm`, h, { momentum: MOMENTUM });
}

function block(net: Net, name: string, x: FeatureMap, channels: number): FeatureMap {
  return activate(net, "relu", normed(net, name, x, channels));
}

/** tanh(x) / 2 + 1/2. */
function unitTanh(net: Net, x: FeatureMap): FeatureMap {
  return affine(net, mapValue(x, net.b.op("Tanh", [x.value])), 0.5, 0.5);
}
