/** @file VGG with batch normalisation: 3x3 convolutions and max pools, one after the other. */
import { z } from "zod";
import { activate } from "../layers/activation.ts";
import { batchNorm } from "../layers/batch-norm.ts";
import { conv2d } from "../layers/conv.ts";
import { classScores } from "../layers/head.ts";
import { globalAveragePool, maxPool } from "../layers/pool.ts";
import { defineArchitecture } from "./architecture.ts";

/** Convolutions of each of the five stages. */
const STAGES = {
  "11": [1, 1, 2, 2, 2],
  "13": [2, 2, 2, 2, 2],
  "16": [2, 2, 3, 3, 3],
} as const;

/** Channels of each stage, in units of the width. */
const WIDTHS = [1, 2, 4, 8, 8] as const;

/**
 * Five stages that each end in a 2x2 max pool, then the mean of the map and one linear layer. Images of 16 to 31 pixels
 * are one pixel before the last pool, which is left out.
 * @deviation one linear layer in place of the paper's three, as usual for small images.
 */
export const vggBn = defineArchitecture({
  name: "vgg-bn",
  summary: "VGG-11, -13 or -16 with batch normalisation and one linear layer, as usual for small images.",
  source:
    'Simonyan and Zisserman 2015, "Very Deep Convolutional Networks for Large-Scale Image Recognition", https://arxiv.org/abs/1409.1556; tensors as torchvision vgg*_bn.features and kuangliu/pytorch-cifar',
  options: z.object({
    depth: z.enum(["11", "13", "16"]).default("11").describe("Layers with weights: 11, 13 or 16 in the paper's count."),
    width: z.int().min(1).max(256).default(64).describe("Channels of the first stage."),
  }),
  minimumSize: () => 16,
  write(net, image, { options: { depth, width }, classes }) {
    let x = image;
    let index = 0;
    for (const [stage, convolutions] of STAGES[depth].entries()) {
      for (let i = 0; i < convolutions; i++) {
        const h = conv2d(net, `features.${index}`, x, { channels: width * (WIDTHS[stage] ?? 1) });
        x = activate(net, "relu", batchNorm(net, `features.${index + 1}`, h));
        index += 3;
      }
      if (Math.min(x.height, x.width) > 1) x = maxPool(net, x, { kernel: 2 });
      index += 1;
    }
    return classScores(net, "classifier", globalAveragePool(net, x), classes);
  },
});
