/** @file Five convolutions: small enough to train within minutes on a processor, good enough for 28x28 pixels. */
import { z } from "zod";
import { activate } from "../layers/activation.ts";
import { batchNorm } from "../layers/batch-norm.ts";
import { conv2d } from "../layers/conv.ts";
import { classScores } from "../layers/head.ts";
import { globalAveragePool } from "../layers/pool.ts";
import type { FeatureMap } from "../net.ts";
import { defineArchitecture } from "./architecture.ts";

/** Channels in units of the width, and stride, of each convolution. */
const LAYERS = [
  { widths: 1, stride: 1 },
  { widths: 1, stride: 2 },
  { widths: 2, stride: 1 },
  { widths: 2, stride: 2 },
  { widths: 4, stride: 1 },
] as const;

/** Five convolutions of 3x3 pixels with batch normalisation and ReLU, the mean of the map, one linear layer. */
export const smallCnn = defineArchitecture({
  name: "small-cnn",
  summary: "Five 3x3 convolutions with batch normalisation, two of them halving the size, and one linear layer.",
  source:
    "The classifier of models/fashion-mnist-badnets; tensors are named f.0.0 (convolution), f.0.1 (norm), ..., fc.",
  options: z.object({
    width: z
      .int()
      .min(1)
      .max(512)
      .default(32)
      .describe("Channels of the first two layers; then twice, then four times."),
  }),
  minimumSize: () => 4,
  write(net, image, { options: { width }, classes }) {
    const last = LAYERS.reduce<FeatureMap>((x, { widths, stride }, i) => {
      const h = conv2d(net, `f.${i}.0`, x, { channels: widths * width, stride, bias: false });
      return activate(net, "relu", batchNorm(net, `f.${i}.1`, h));
    }, image);
    return classScores(net, "fc", globalAveragePool(net, last), classes);
  },
});
