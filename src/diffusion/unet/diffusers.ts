/** @file diffusers' `UNet2DModel` from its config and tensors. Weights keep the names they have there. */

import { FormatError } from "../../core/errors.ts";
import { int } from "../../graph/builder.ts";
import type { ValueName } from "../../graph/ir.ts";
import type { Weights } from "../../nn/checkpoints/weights.ts";
import { activate } from "../../nn/layers/activation.ts";
import { conv2d, linear } from "../../nn/layers/conv.ts";
import { add, affine } from "../../nn/layers/elementwise.ts";
import { groupNorm } from "../../nn/layers/group-norm.ts";
import { fourierEmbedding, sinusoidalEmbedding, tableEmbedding, vectors } from "../../nn/layers/time-embedding.ts";
import { projectTime } from "../../nn/layers/time-projections.ts";
import { type FeatureMap, mapValue, type Net } from "../../nn/net.ts";
import { downBlock, levelAttention, plainGroups, resnetNames, type UNet2DStyle, upBlock } from "./diffusers-blocks.ts";
import type { UNet2DConfig } from "./diffusers-config.ts";
import { resnetBlock } from "./resnet-block.ts";
import { type SkipAscent, skipDownBlock, skipUpBlock } from "./skip-blocks.ts";
import { type ClassInput, type ImageSize, type UNetGraph, type UNetInputs, writeUNet } from "./unet-graph.ts";

/**
 * Writes a `UNet2DModel` as a graph.
 * @param size height and width; the config's `sample_size` when left out.
 * @throws FormatError when a tensor is missing, has another shape than the config asks for or is not finite, when no
 * size is known, or when the size does not halve evenly on every level.
 * @source huggingface/diffusers, UNet2DModel (0.39)
 */
export function diffusersUNet(
  config: UNet2DConfig,
  weights: Weights,
  size?: { readonly height: number; readonly width: number },
): UNetGraph {
  const { height, width } = size ?? sampleSize(config);
  const image: ImageSize = { channels: config.in_channels, height, width };
  const classInput = classInputOf(config);
  const tableRows = config.time_embedding_type === "learned" ? (config.num_train_timesteps ?? 1) : undefined;
  return writeUNet(weights, image, { classInput, tableRows, body: (inputs) => writeBody(config, inputs, classInput) });
}

function sampleSize({ sample_size }: UNet2DConfig): { height: number; width: number } {
  if (sample_size === undefined || sample_size === null) {
    throw new FormatError('unet/config.json: expected "sample_size", got none. Do add the height and width in pixels.');
  }
  const [height, width] = typeof sample_size === "number" ? [sample_size, sample_size] : sample_size;
  return { height, width };
}

function writeBody(config: UNet2DConfig, inputs: UNetInputs, classInput: ClassInput | undefined): FeatureMap {
  const { net, timestep } = inputs;
  const { block_out_channels: widths, norm_eps: eps } = config;
  const [base = 1] = widths;
  const time = activate(net, config.act_fn, embedTime(config, inputs, classInput));
  const style: UNet2DStyle = {
    net,
    config,
    names: resnetNames,
    time: projectTime(net, ".time_emb_proj", time),
    act: config.act_fn,
    eps,
    scaleShift: config.resnet_time_scale_shift === "scale_shift",
  };

  let image = config.center_input_sample ? affine(net, inputs.sample, 2, -1) : inputs.sample;
  let h = conv2d(net, "conv_in", image, { channels: base });
  const skips = [h];
  widths.forEach((channels, i) => {
    const level = { name: `down_blocks.${i}`, channels, resamples: i < widths.length - 1 };
    const type = config.down_block_types[i] ?? "DownBlock2D";
    const attention = type.startsWith("Attn");
    if (type.includes("Skip")) {
      const descent = skipDownBlock(style, level, h, { attention, image });
      image = descent.image;
      h = descent.h;
      skips.push(...descent.skips);
    } else {
      const resampling = type === "ResnetDownsampleBlock2D" ? "resnet" : attention ? config.downsample_type : "conv";
      const descent = downBlock(style, level, h, { attention, resampling });
      h = descent.h;
      skips.push(...descent.skips);
    }
  });

  if (config.mid_block_type !== null) h = midBlock(style, h);

  let ascent: SkipAscent = { h, image: undefined };
  [...widths].reverse().forEach((channels, i) => {
    const level = { name: `up_blocks.${i}`, channels, resamples: i < widths.length - 1 };
    const type = config.up_block_types[i] ?? "UpBlock2D";
    const attention = type.startsWith("Attn");
    if (type.includes("Skip")) {
      ascent = skipUpBlock(style, level, ascent, { attention, skips });
    } else {
      const resampling = type === "ResnetUpsampleBlock2D" ? "resnet" : attention ? config.upsample_type : "conv";
      ascent = { ...ascent, h: upBlock(style, level, ascent.h, { attention, resampling, skips }) };
    }
  });

  const even = groupNorm(net, "conv_norm_out", ascent.h, { groups: plainGroups(config, base), eps });
  let out = conv2d(net, "conv_out", activate(net, "silu", even), { channels: config.out_channels });
  if (ascent.image !== undefined) out = add(net, out, ascent.image);
  return config.time_embedding_type === "fourier" ? divideByTime(net, out, timestep) : out;
}

/** Resnet, attention if there is any, resnet. */
function midBlock(style: UNet2DStyle, x: FeatureMap): FeatureMap {
  const { config } = style;
  const { channels } = x;
  const groups = plainGroups(config, channels);
  const divisor = config.mid_block_scale_factor;
  const options = { channels, groups: [groups, groups], divisor } as const;
  let h = resnetBlock(style, "mid_block.resnets.0", x, options);
  if (config.add_attention) {
    // Without groups of its own, attention is normalised like the resnets, but not at all beside scale and shift.
    const attentionGroups = config.attn_norm_num_groups ?? (style.scaleShift ? undefined : groups);
    h = levelAttention(style, "mid_block.attentions.0", h, { groups: attentionGroups, divisor });
  }
  return resnetBlock(style, "mid_block.resnets.1", h, options);
}

/** The timestep, and the class where there is one, as a vector of `time_embedding_dim`. */
function embedTime(config: UNet2DConfig, inputs: UNetInputs, classInput: ClassInput | undefined): FeatureMap {
  const { net, timestep, classLabels } = inputs;
  const channels = embeddingChannels(config);
  const time = twoLayers(net, "time_embedding", waves(config, net, timestep), channels);
  if (classInput === undefined) return time;
  switch (classInput.kind) {
    case "label":
      return add(net, time, tableEmbedding(net, "class_embedding", classLabels, { rows: classInput.count, channels }));
    case "number":
      return add(net, time, twoLayers(net, "class_embedding", waves(config, net, classLabels), channels));
    case "vector":
      return add(net, time, vectors(net, classLabels, channels));
  }
}

function waves(config: UNet2DConfig, net: Net, t: ValueName): FeatureMap {
  const channels = config.block_out_channels[0] ?? 1;
  switch (config.time_embedding_type) {
    case "positional": {
      const first = config.flip_sin_to_cos ? "cos" : "sin";
      return sinusoidalEmbedding(net, t, { channels, first, freqShift: config.freq_shift });
    }
    case "fourier":
      return fourierEmbedding(net, "time_proj", t, channels);
    case "learned": {
      const index = net.b.op("Cast", [t], { to: int(7) });
      return tableEmbedding(net, "time_proj", index, { rows: config.num_train_timesteps ?? 1, channels });
    }
  }
}

/** linear_1, SiLU (whatever `act_fn` says), linear_2. */
function twoLayers(net: Net, name: string, x: FeatureMap, channels: number): FeatureMap {
  const hidden = activate(net, "silu", linear(net, [{ name: `${name}.linear_1`, channels }], x));
  return linear(net, [{ name: `${name}.linear_2`, channels }], hidden);
}

function embeddingChannels(config: UNet2DConfig): number {
  return config.time_embedding_dim ?? 4 * (config.block_out_channels[0] ?? 1);
}

function classInputOf(config: UNet2DConfig): ClassInput | undefined {
  if (config.class_embed_type === "timestep") return { kind: "number" };
  if (config.class_embed_type === "identity") return { kind: "vector", channels: embeddingChannels(config) };
  const count = config.num_class_embeds;
  return count === undefined || count === null ? undefined : { kind: "label", count };
}

function divideByTime({ b }: Net, x: FeatureMap, timestep: ValueName): FeatureMap {
  return mapValue(x, b.op("Div", [x.value, b.op("Unsqueeze", [timestep, b.ints(1, 2, 3)])]));
}
