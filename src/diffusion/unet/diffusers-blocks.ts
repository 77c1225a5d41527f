/** @file The blocks of `UNet2DModel` on one level of the way down and up, except those of NCSN++. */
import { FormatError } from "../../core/errors.ts";
import { conv2d } from "../../nn/layers/conv.ts";
import { concatChannels } from "../../nn/layers/elementwise.ts";
import { averagePool, upsampleNearest } from "../../nn/layers/resample.ts";
import { upsampleConv } from "../../nn/layers/upsample-conv.ts";
import type { FeatureMap, Net } from "../../nn/net.ts";
import { type AttentionNames, attentionBlock } from "./attention-block.ts";
import type { UNet2DConfig } from "./diffusers-config.ts";
import { type ResnetNames, type ResnetStyle, resnetBlock } from "./resnet-block.ts";
import { nextSkip } from "./unet-graph.ts";

/** Layers of a residual block. */
export const resnetNames: ResnetNames = {
  norm1: "norm1",
  conv1: "conv1",
  time: "time_emb_proj",
  norm2: "norm2",
  conv2: "conv2",
  shortcut: "conv_shortcut",
};

const attentionNames: AttentionNames = { norm: "group_norm", qkv: ["to_q", "to_k", "to_v"], out: "to_out.0" };
/** Before diffusers 0.15. */
const oldAttentionNames: AttentionNames = { norm: "group_norm", qkv: ["query", "key", "value"], out: "proj_attn" };

/** What the blocks of one net are written with. */
export interface UNet2DStyle extends ResnetStyle {
  readonly config: UNet2DConfig;
}

/** One level of the net. */
export interface Level {
  /** Tensor names start with this, such as `down_blocks.0`. */
  readonly name: string;
  /** Output channels. */
  readonly channels: number;
  /** Whether the level halves (down) or doubles (up) the size at its end. */
  readonly resamples: boolean;
}

/** How the plain blocks differ: attention after each resnet, and what changes the size. */
export interface PlainBlock {
  readonly attention: boolean;
  readonly resampling: "conv" | "resnet";
}

/** What flows down: the current map, and the maps that skip to the way up. */
export interface Descent {
  readonly h: FeatureMap;
  readonly skips: readonly FeatureMap[];
}

/** `layers_per_block` resnets, then a smaller map; each result skips over. */
export function downBlock(style: UNet2DStyle, level: Level, x: FeatureMap, kind: PlainBlock): Descent {
  const { net, config } = style;
  const { name, channels, resamples } = level;
  const groups = plainGroups(config, channels);
  const skips: FeatureMap[] = [];
  let h = x;
  for (let j = 0; j < config.layers_per_block; j++) {
    const first = plainGroups(config, h.channels);
    h = resnetBlock(style, `${name}.resnets.${j}`, h, { channels, groups: [first, groups] });
    if (kind.attention) h = levelAttention(style, `${name}.attentions.${j}`, h, { groups });
    skips.push(h);
  }
  if (!resamples) return { h, skips };
  if (kind.resampling === "resnet") {
    const options = { channels, groups: [groups, groups], resample: averagePool } as const;
    h = resnetBlock(style, `${name}.downsamplers.0`, h, options);
  } else {
    const pads = config.downsample_padding === 0 ? ([0, 0, 1, 1] as const) : ([1, 1, 1, 1] as const);
    h = conv2d(net, `${name}.downsamplers.0.conv`, h, { channels, stride: 2, pads });
  }
  return { h, skips: [...skips, h] };
}

/** A resnet for each skipped map, the last one first, then a larger map. `skips` loses those that are used. */
export function upBlock(
  style: UNet2DStyle,
  level: Level,
  x: FeatureMap,
  { skips, ...kind }: PlainBlock & { skips: FeatureMap[] },
): FeatureMap {
  const { net, config } = style;
  const { name, channels, resamples } = level;
  const groups = plainGroups(config, channels);
  let h = x;
  for (let j = 0; j < config.layers_per_block + 1; j++) {
    const joined = concatChannels(net, h, nextSkip(skips));
    const first = plainGroups(config, joined.channels);
    h = resnetBlock(style, `${name}.resnets.${j}`, joined, { channels, groups: [first, groups] });
    if (kind.attention) h = levelAttention(style, `${name}.attentions.${j}`, h, { groups });
  }
  if (!resamples) return h;
  if (kind.resampling === "conv") return upsampleConv(net, `${name}.upsamplers.0.conv`, h);
  const options = { channels, groups: [groups, groups], resample: upsampleNearest } as const;
  return resnetBlock(style, `${name}.upsamplers.0`, h, options);
}

/** `norm_num_groups`; where it is null, a quarter of the channels but at most 32. */
export function plainGroups(config: UNet2DConfig, channels: number): number {
  return config.norm_num_groups ?? quarterGroups(channels);
}

/** A quarter of the channels, at most 32. */
export function quarterGroups(channels: number): number {
  return Math.min(Math.floor(channels / 4), 32);
}

/** Settings of {@link levelAttention}. */
export interface LevelAttentionOptions {
  /** Groups of its norm; undefined when it has none. */
  readonly groups: number | undefined;
  /** The sum of input and attention is divided by this; 1 when left out. */
  readonly divisor?: number;
}

/**
 * Attention with as many heads of `attention_head_dim` channels as fit, or one head over all channels.
 * @throws FormatError when the checkpoint does not fit.
 */
export function levelAttention(
  { net, config, eps }: UNet2DStyle,
  name: string,
  x: FeatureMap,
  options: LevelAttentionOptions,
): FeatureMap {
  const depth = config.attention_head_dim ?? x.channels;
  const heads = Math.floor(x.channels / depth);
  if (heads < 1) {
    throw new FormatError(`${name}: expected "attention_head_dim" of at most ${x.channels} channels, got ${depth}.`);
  }
  const names = isOld(net, name) ? oldAttentionNames : attentionNames;
  return attentionBlock(net, name, x, { ...options, names, heads, channels: heads * depth, order: "kind-major", eps });
}

function isOld({ weights }: Net, attention: string): boolean {
  return weights.has(`${attention}.query.weight`);
}
