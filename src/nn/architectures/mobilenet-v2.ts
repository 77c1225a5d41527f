/** @file MobileNetV2: inverted residual blocks around depthwise convolutions. */
import { z } from "zod";
import { batchNorm } from "../layers/batch-norm.ts";
import { type ConvOptions, conv2d } from "../layers/conv.ts";
import { add } from "../layers/elementwise.ts";
import { classScores } from "../layers/head.ts";
import { globalAveragePool } from "../layers/pool.ts";
import { type FeatureMap, mapValue, type Net } from "../net.ts";
import { defineArchitecture } from "./architecture.ts";

/** Table 2 of the paper: expansion, channels, repetitions, stride. */
const STAGES = [
  { expansion: 1, channels: 16, repeats: 1, stride: 1 },
  { expansion: 6, channels: 24, repeats: 2, stride: 2 },
  { expansion: 6, channels: 32, repeats: 3, stride: 2 },
  { expansion: 6, channels: 64, repeats: 4, stride: 2 },
  { expansion: 6, channels: 96, repeats: 3, stride: 1 },
  { expansion: 6, channels: 160, repeats: 3, stride: 2 },
  { expansion: 6, channels: 320, repeats: 1, stride: 1 },
] as const;
const FIRST_CHANNELS = 32;
const LAST_CHANNELS = 1280;

/** A narrow network of 17 inverted residual blocks, cheap on processors. */
export const mobilenetV2 = defineArchitecture({
  name: "mobilenet-v2",
  summary: "Seventeen inverted residual blocks around depthwise convolutions, for small images or large ones.",
  source:
    'Sandler et al. 2018, "MobileNetV2: Inverted Residuals and Linear Bottlenecks", https://arxiv.org/abs/1801.04381; tensors as torchvision mobilenet_v2',
  options: z.object({
    strides: z
      .enum(["cifar", "imagenet"])
      .default("cifar")
      .describe("How often the size is halved: three times, for 32 pixels, or five times, for 224 as in the paper."),
    width: z.number().min(0.05).max(4).default(1).describe("Factor of all channels; they stay multiples of 8."),
  }),
  minimumSize: ({ strides }) => (strides === "cifar" ? 8 : 32),
  write(net, image, { options: { strides, width }, classes }) {
    const small = strides === "cifar";
    const channels = ofWidth(FIRST_CHANNELS, width);
    let x = convNormRelu6(net, ["features.0.0", "features.0.1"], image, { channels, stride: small ? 1 : 2 });
    let index = 1;
    for (const [i, stage] of STAGES.entries()) {
      for (let repeat = 0; repeat < stage.repeats; repeat++) {
        const stride = repeat > 0 || (small && i === 1) ? 1 : stage.stride;
        const options = { channels: ofWidth(stage.channels, width), expansion: stage.expansion, stride };
        x = invertedResidual(net, `features.${index}.conv`, x, options);
        index += 1;
      }
    }
    const last = { channels: ofWidth(LAST_CHANNELS, Math.max(1, width)), kernel: 1 };
    x = convNormRelu6(net, [`features.${index}.0`, `features.${index}.1`], x, last);
    return classScores(net, "classifier.1", globalAveragePool(net, x), classes);
  },
});

/** Widens by a 1x1 convolution, filters each channel alone, narrows without an activation; adds x where it fits. */
function invertedResidual(
  net: Net,
  name: string,
  x: FeatureMap,
  { channels, expansion, stride }: { channels: number; expansion: number; stride: number },
): FeatureMap {
  const hidden = x.channels * expansion;
  let [h, index] = [x, 0];
  if (expansion !== 1) {
    h = convNormRelu6(net, [`${name}.0.0`, `${name}.0.1`], x, { channels: hidden, kernel: 1 });
    index += 1;
  }
  const depthwise = { channels: hidden, stride, groups: hidden };
  h = convNormRelu6(net, [`${name}.${index}.0`, `${name}.${index}.1`], h, depthwise);
  const narrow = conv2d(net, `${name}.${index + 1}`, h, { channels, kernel: 1, bias: false });
  const out = batchNorm(net, `${name}.${index + 2}`, narrow);
  return stride === 1 && x.channels === channels ? add(net, x, out) : out;
}

function convNormRelu6(
  net: Net,
  [conv, norm]: readonly [conv: string, norm: string],
  x: FeatureMap,
  options: ConvOptions,
): FeatureMap {
  const { b } = net;
  const even = batchNorm(net, norm, conv2d(net, conv, x, { ...options, bias: false }));
  return mapValue(even, b.op("Clip", [even.value, b.float(0), b.float(6)]));
}

/** The multiple of 8 nearest to channels * width, but never less than nine tenths of it. */
function ofWidth(channels: number, width: number): number {
  const wanted = channels * width;
  const rounded = Math.max(8, 8 * Math.floor((wanted + 4) / 8));
  return rounded < 0.9 * wanted ? rounded + 8 : rounded;
}
