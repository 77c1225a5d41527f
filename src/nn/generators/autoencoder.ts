/** @file The small convolutional auto-encoders that MagNet puts in front of a classifier. */
import { z } from "zod";
import { parseOptions } from "../../core/descriptor.ts";
import { GraphBuilder } from "../../graph/builder.ts";
import type { Graph } from "../../graph/ir.ts";
import type { Weights } from "../checkpoints/weights.ts";
import { activate } from "../layers/activation.ts";
import { conv2d } from "../layers/conv.ts";
import { maxPool } from "../layers/pool.ts";
import { averagePool, upsampleNearest } from "../layers/resample.ts";
import { type FeatureMap, mapValue, type Net } from "../net.ts";
import { checkDivides, checkImage, type ImageDims } from "./check-image.ts";

const NAME = "autoencoder";

/** Options of an auto-encoder. */
export const autoencoderOptions = z.object({
  structure: z
    .array(z.union([z.int().min(1).max(1024), z.enum(["average", "max"])]))
    .min(1)
    .max(16)
    .default([3, "average", 3])
    .describe(
      "Layers of the encoder: a number is a 3x3 convolution with so many filters, a word a pool of 2x2 pixels.",
    ),
  activation: z.enum(["sigmoid", "relu"]).default("sigmoid").describe("What bends the hidden layers."),
});

/** Options of an auto-encoder, complete. */
export type AutoencoderOptions = z.output<typeof autoencoderOptions>;

/**
 * The auto-encoders that MagNet is used with. For MNIST they are the authors': `mnistReformer` also is the first detector,
 * `mnistDetector` the second. For CIFAR-10 it is that of ain-soph/trojanzoo, without its batch norm.
 * @source Trevillie/MagNet, train_defense.py
 */
export const magnetAutoencoders = {
  mnistReformer: { structure: [3, "average", 3], activation: "sigmoid" },
  mnistDetector: { structure: [3], activation: "sigmoid" },
  cifar: { structure: [32], activation: "relu" },
} satisfies Record<string, AutoencoderOptions>;

/**
 * Encodes an image and paints it again: the layers of `structure`, then the same backwards with every pool doubling the
 * size by nearest neighbours, then a convolution to the image's channels and a sigmoid. Tensors: `encoder.<i>` and
 * `decoder.<i>` by their position in the list, first to last, then `output`.
 * @param image pixels in [0, 1]. @returns pixels in [0, 1] of the same dims.
 * @throws ShapeError when the size does not halve evenly as often as there are pools; FormatError as {@link Weights.take}.
 * @source Meng and Chen 2017, "MagNet: a Two-Pronged Defense against Adversarial Examples", section 4. https://arxiv.org/abs/1705.09064;
 * Trevillie/MagNet, defensive_models.py
 * @deviation its penalty of 1e-9 on squared activations is not written: it is below what a loss in float32 resolves.
 */
export function autoencoder(net: Net, image: FeatureMap, { structure, activation }: AutoencoderOptions): FeatureMap {
  const pools = structure.filter((layer) => typeof layer === "string").length;
  checkDivides(NAME, image, { of: 2 ** pools, because: `${pools} pools halve them` });
  const bend = (x: FeatureMap): FeatureMap => (activation === "relu" ? activate(net, "relu", x) : sigmoid(net, x));
  let x = image;
  for (const [i, layer] of structure.entries()) {
    if (typeof layer === "number") x = bend(conv2d(net, `encoder.${i}`, x, { channels: layer }));
    else x = layer === "max" ? maxPool(net, x, { kernel: 2 }) : averagePool(net, x);
  }
  for (const [i, layer] of [...structure].reverse().entries()) {
    x = typeof layer === "number" ? bend(conv2d(net, `decoder.${i}`, x, { channels: layer })) : upsampleNearest(net, x);
  }
  return sigmoid(net, conv2d(net, "output", x, { channels: image.channels }));
}

/** What {@link buildAutoencoder} builds. */
export interface AutoencoderPlan {
  /** Raw options; each has a default. */
  readonly options?: z.input<typeof autoencoderOptions>;
  readonly dims: ImageDims;
  /** Fresh weights, or those of a checkpoint. */
  readonly weights: Weights;
}

/**
 * An auto-encoder as a whole graph. Input: `pixel_values` float32 [N, C, H, W] in [0, 1]; output: `reconstruction` of the
 * same dims. It is trained by the squared error, with noise on its input.
 * @throws OptionError for unknown options and such out of range, and what {@link autoencoder} throws.
 */
export function buildAutoencoder({ options = {}, dims, weights }: AutoencoderPlan): Graph {
  checkImage(NAME, dims);
  const parsed = parseOptions({ name: NAME, options: autoencoderOptions }, options);
  const b = new GraphBuilder();
  const shape = ["N", dims.channels, dims.height, dims.width];
  const value = b.input("pixel_values", "float32", shape);
  const painted = autoencoder({ b, weights }, { ...dims, value }, parsed);
  b.output("reconstruction", painted.value, "float32", shape);
  return b.build(NAME);
}

function sigmoid({ b }: Net, x: FeatureMap): FeatureMap {
  return mapValue(x, b.op("Sigmoid", [x.value]));
}
