/** @file The U-Net of improved-diffusion and guided-diffusion from its `.pt` file. */
import type { Weights } from "../../nn/checkpoints/weights.ts";
import { activate } from "../../nn/layers/activation.ts";
import { conv2d, linear } from "../../nn/layers/conv.ts";
import { add, concatChannels } from "../../nn/layers/elementwise.ts";
import { groupNorm } from "../../nn/layers/group-norm.ts";
import { averagePool, upsampleNearest } from "../../nn/layers/resample.ts";
import { sinusoidalEmbedding, tableEmbedding } from "../../nn/layers/time-embedding.ts";
import { projectTime } from "../../nn/layers/time-projections.ts";
import { upsampleConv } from "../../nn/layers/upsample-conv.ts";
import type { FeatureMap } from "../../nn/net.ts";
import { type AttentionNames, attentionBlock } from "./attention-block.ts";
import type { OpenAiConfig } from "./openai-config.ts";
import { type OpenAiLayout, openAiLayout, refuseContradictions } from "./openai-layout.ts";
import { type ResnetNames, type ResnetStyle, resnetBlock } from "./resnet-block.ts";
import { nextSkip, type UNetGraph, type UNetInputs, writeUNet } from "./unet-graph.ts";

const groups = 32;
const eps = 1e-5;
const resnetNames: ResnetNames = {
  norm1: "in_layers.0",
  conv1: "in_layers.2",
  time: "emb_layers.1",
  norm2: "out_layers.0",
  conv2: "out_layers.3",
  shortcut: "skip_connection",
};
const attentionNames: AttentionNames = { norm: "norm", qkv: ["qkv"], out: "proj_out" };

/**
 * Writes OpenAI's `UNetModel` as a graph.
 * @param size height and width; the config's `image_size` when left out.
 * @throws FormatError when a tensor is missing, has a wrong shape or is not finite, or when the config contradicts the
 * tensors.
 * @source Dhariwal and Nichol 2021, "Diffusion Models Beat GANs on Image Synthesis", section 3; openai/guided-diffusion, unet.py
 */
export function openAiUNet(
  config: OpenAiConfig,
  weights: Weights,
  size?: { readonly height: number; readonly width: number },
): UNetGraph {
  const layout = openAiLayout(weights);
  refuseContradictions(config, layout);
  const { height, width } = size ?? { height: config.image_size, width: config.image_size };
  const classInput = layout.classes === 0 ? undefined : ({ kind: "label", count: layout.classes } as const);
  return writeUNet(
    weights,
    { channels: layout.inChannels, height, width },
    { classInput, body: (inputs) => writeBody(config, layout, inputs) },
  );
}

function writeBody(config: OpenAiConfig, layout: OpenAiLayout, inputs: UNetInputs): FeatureMap {
  const { net, sample } = inputs;
  const time = activate(net, "silu", embedTime(layout, inputs));
  const style: ResnetStyle = {
    net,
    names: resnetNames,
    time: projectTime(net, ".emb_layers.1", time),
    act: "silu",
    eps,
    scaleShift: layout.scaleShift,
  };
  const resnet = (name: string, x: FeatureMap, resample?: typeof averagePool): FeatureMap => {
    const channels = net.weights.dimsOf(`${name}.out_layers.3.weight`)?.[0] ?? x.channels;
    return resnetBlock(style, name, x, { channels, groups: [groups, groups], resample });
  };
  const attention = (name: string, x: FeatureMap, numHeads: number): FeatureMap => {
    const { num_head_channels: depth, use_new_attention_order: newOrder } = config;
    const heads = depth === -1 ? numHeads : Math.floor(x.channels / depth);
    const order = newOrder ? "kind-major" : "head-major";
    return attentionBlock(net, name, x, { names: attentionNames, heads, order, groups, eps });
  };

  let h = conv2d(net, "input_blocks.0.0", sample, { channels: layout.baseChannels });
  const skips = [h];
  for (const block of layout.inputs) {
    const name = `${block.name}.0`;
    if (block.kind === "resnet") h = resnet(name, h);
    else if (layout.updown) h = resnet(name, h, averagePool);
    else h = conv2d(net, `${name}.op`, h, { channels: h.channels, stride: 2, pads: [1, 1, 1, 1] });
    if (block.attention) h = attention(`${block.name}.1`, h, config.num_heads);
    skips.push(h);
  }

  h = resnet("middle_block.0", h);
  h = attention("middle_block.1", h, config.num_heads);
  h = resnet("middle_block.2", h);

  const headsUp = config.num_heads_upsample === -1 ? config.num_heads : config.num_heads_upsample;
  for (const { name, attention: attends, up } of layout.outputs) {
    h = resnet(`${name}.0`, concatChannels(net, h, nextSkip(skips)));
    if (attends) h = attention(`${name}.1`, h, headsUp);
    if (up?.kind === "resnet") h = resnet(`${name}.${up.index}`, h, upsampleNearest);
    if (up?.kind === "conv") h = upsampleConv(net, `${name}.${up.index}.conv`, h);
  }

  const even = activate(net, "silu", groupNorm(net, "out.0", h, { groups, eps }));
  return conv2d(net, "out.2", even, { channels: layout.outChannels });
}

/** The timestep, and the class where there is one, as a vector of four times the base channels. */
function embedTime(layout: OpenAiLayout, { net, timestep, classLabels }: UNetInputs): FeatureMap {
  const channels = 4 * layout.baseChannels;
  const waves = sinusoidalEmbedding(net, timestep, { channels: layout.baseChannels, first: "cos" });
  const hidden = activate(net, "silu", linear(net, [{ name: "time_embed.0", channels }], waves));
  const time = linear(net, [{ name: "time_embed.2", channels }], hidden);
  if (layout.classes === 0) return time;
  return add(net, time, tableEmbedding(net, "label_emb", classLabels, { rows: layout.classes, channels }));
}
