/** @file PreActResNet-18: ResNet-18 with norm and ReLU in front of each convolution. BackdoorBench's usual victim. */
import { z } from "zod";
import { activate } from "../layers/activation.ts";
import { batchNorm } from "../layers/batch-norm.ts";
import { conv2d } from "../layers/conv.ts";
import { add } from "../layers/elementwise.ts";
import { classScores } from "../layers/head.ts";
import { globalAveragePool } from "../layers/pool.ts";
import type { FeatureMap, Net } from "../net.ts";
import { defineArchitecture } from "./architecture.ts";

const BLOCKS = [0, 1] as const;

/**
 * Four stages of two blocks for small images; each stage after the first halves the size and doubles the channels.
 * @deviation the paper has a last norm and ReLU before the mean; the implementations that attacks are compared on do not.
 */
export const preactResnet18 = defineArchitecture({
  name: "preact-resnet-18",
  summary: "Eight residual blocks with norm and ReLU in front of each 3x3 convolution, for small images.",
  source:
    'He et al. 2016, "Identity Mappings in Deep Residual Networks", https://arxiv.org/abs/1603.05027; tensors as kuangliu/pytorch-cifar and SCLBD/BackdoorBench, models/preact_resnet.py',
  options: z.object({
    width: z.int().min(1).max(256).default(64).describe("Channels of the first stage."),
  }),
  minimumSize: () => 8,
  write(net, image, { options: { width }, classes }) {
    let x = conv2d(net, "conv1", image, { channels: width, bias: false });
    for (const [i, stage] of ["layer1", "layer2", "layer3", "layer4"].entries()) {
      for (const block of BLOCKS) {
        x = preactBlock(net, `${stage}.${block}`, x, {
          channels: width * 2 ** i,
          stride: i > 0 && block === 0 ? 2 : 1,
        });
      }
    }
    return classScores(net, "linear", globalAveragePool(net, x), classes);
  },
});

/** x + F(x); where size or channels change, the shortcut is a 1x1 convolution of what is already normalised. */
function preactBlock(net: Net, name: string, x: FeatureMap, options: { channels: number; stride: number }): FeatureMap {
  const { channels, stride } = options;
  const even = activate(net, "relu", batchNorm(net, `${name}.bn1`, x));
  const h = conv2d(net, `${name}.conv1`, even, { ...options, bias: false });
  const inner = activate(net, "relu", batchNorm(net, `${name}.bn2`, h));
  const residual = conv2d(net, `${name}.conv2`, inner, { channels, bias: false });
  const shortcut =
    stride === 1 && x.channels === channels
      ? x
      : conv2d(net, `${name}.shortcut.0`, even, { ...options, kernel: 1, bias: false });
  return add(net, residual, shortcut);
}
