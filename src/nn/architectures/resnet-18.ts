/** @file ResNet-18: eight residual blocks of two 3x3 convolutions on four sizes. */
import { z } from "zod";
import { activate } from "../layers/activation.ts";
import { batchNorm } from "../layers/batch-norm.ts";
import { type ConvOptions, conv2d } from "../layers/conv.ts";
import { add } from "../layers/elementwise.ts";
import { classScores } from "../layers/head.ts";
import { globalAveragePool, maxPool } from "../layers/pool.ts";
import type { FeatureMap, Net } from "../net.ts";
import { defineArchitecture } from "./architecture.ts";

const BLOCKS = [0, 1] as const;

/** Four stages of two blocks; each stage after the first halves the size and doubles the channels. */
export const resnet18 = defineArchitecture({
  name: "resnet-18",
  summary:
    "Eight residual blocks of two 3x3 convolutions each, for small images (stem cifar) or large ones (imagenet).",
  source:
    'He et al. 2016, "Deep Residual Learning for Image Recognition", https://arxiv.org/abs/1512.03385; tensors as torchvision resnet18',
  options: z.object({
    stem: z
      .enum(["cifar", "imagenet"])
      .default("cifar")
      .describe("First layers: one 3x3 convolution, or a 7x7 one and a max pool that quarter the size."),
    width: z.int().min(1).max(256).default(64).describe("Channels of the first stage."),
  }),
  minimumSize: ({ stem }) => (stem === "cifar" ? 8 : 32),
  write(net, image, { options: { stem, width }, classes }) {
    let x = stem === "cifar" ? cifarStem(net, image, width) : imagenetStem(net, image, width);
    for (const [i, stage] of ["layer1", "layer2", "layer3", "layer4"].entries()) {
      for (const block of BLOCKS) {
        x = basicBlock(net, `${stage}.${block}`, x, { channels: width * 2 ** i, stride: i > 0 && block === 0 ? 2 : 1 });
      }
    }
    return classScores(net, "fc", globalAveragePool(net, x), classes);
  },
});

function cifarStem(net: Net, image: FeatureMap, channels: number): FeatureMap {
  return activate(net, "relu", convNorm(net, ["conv1", "bn1"], image, { channels }));
}

function imagenetStem(net: Net, image: FeatureMap, channels: number): FeatureMap {
  const x = activate(net, "relu", convNorm(net, ["conv1", "bn1"], image, { channels, kernel: 7, stride: 2 }));
  return maxPool(net, x, { kernel: 3, stride: 2, margin: 1 });
}

/** relu(x + F(x)); where size or channels change, x passes a 1x1 convolution (option B of the paper). */
function basicBlock(net: Net, name: string, x: FeatureMap, options: { channels: number; stride: number }): FeatureMap {
  const { channels, stride } = options;
  const h = activate(net, "relu", convNorm(net, [`${name}.conv1`, `${name}.bn1`], x, options));
  const residual = convNorm(net, [`${name}.conv2`, `${name}.bn2`], h, { channels });
  const shortcut =
    stride === 1 && x.channels === channels
      ? x
      : convNorm(net, [`${name}.downsample.0`, `${name}.downsample.1`], x, { ...options, kernel: 1 });
  return activate(net, "relu", add(net, residual, shortcut));
}

function convNorm(
  net: Net,
  [conv, norm]: readonly [conv: string, norm: string],
  x: FeatureMap,
  options: ConvOptions,
): FeatureMap {
  return batchNorm(net, norm, conv2d(net, conv, x, { ...options, bias: false }));
}
