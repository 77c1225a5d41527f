/**
 * @file The blocks of NCSN++ on one level: beside the features an image is carried down, and one is built up, both
 * resampled with FIR filters. Sums are divided by sqrt(2).
 * @source Song et al. 2021, "Score-Based Generative Modeling through Stochastic Differential Equations", appendix H. https://arxiv.org/abs/2011.13456
 */
import { activate } from "../../nn/layers/activation.ts";
import { conv2d, linear } from "../../nn/layers/conv.ts";
import { add, concatChannels } from "../../nn/layers/elementwise.ts";
import { groupNorm } from "../../nn/layers/group-norm.ts";
import { downsampleFir, upsampleFir } from "../../nn/layers/resample.ts";
import type { FeatureMap } from "../../nn/net.ts";
import { type Descent, type Level, levelAttention, quarterGroups, type UNet2DStyle } from "./diffusers-blocks.ts";
import { resnetBlock } from "./resnet-block.ts";
import { nextSkip } from "./unet-graph.ts";

const divisor = Math.SQRT2;
/** Published checkpoints carry an RGB image whatever the net's own channels are. */
const imageChannels = 3;
/** Fixed in these blocks, whatever the config says. */
const attentionGroups = 32;

/** What flows down: the {@link Descent}, and the image at this level's size. */
export interface SkipDescent extends Descent {
  readonly image: FeatureMap;
}

/** Resnets with attention after each if asked for, then a smaller map to which the smaller image is added. */
export function skipDownBlock(
  style: UNet2DStyle,
  { name, channels, resamples }: Level,
  x: FeatureMap,
  { attention, image }: { attention: boolean; image: FeatureMap },
): SkipDescent {
  const { net, config } = style;
  const groups = quarterGroups(channels);
  const skips: FeatureMap[] = [];
  let h = x;
  for (let j = 0; j < config.layers_per_block; j++) {
    const options = { channels, groups: [quarterGroups(h.channels), groups], divisor } as const;
    h = resnetBlock(style, `${name}.resnets.${j}`, h, options);
    if (attention) h = levelAttention(style, `${name}.attentions.${j}`, h, { groups: attentionGroups, divisor });
    skips.push(h);
  }
  if (!resamples) return { h, skips, image };
  const options = { channels, groups: [groups, groups], resample: downsampleFir, shortcut: true, divisor } as const;
  h = resnetBlock(style, `${name}.resnet_down`, h, options);
  const smaller = downsampleFir(net, image);
  h = add(net, linear(net, [{ name: `${name}.skip_conv`, channels, rank: 4 }], smaller), h);
  return { h, skips: [...skips, h], image: smaller };
}

/** What flows up: the current map, and the image built so far; undefined at the bottom. */
export interface SkipAscent {
  readonly h: FeatureMap;
  readonly image: FeatureMap | undefined;
}

/** Resnets, one attention after all of them if asked for; then a contribution to the image, and a larger map. */
export function skipUpBlock(
  style: UNet2DStyle,
  { name, channels, resamples }: Level,
  from: SkipAscent,
  { attention, skips }: { attention: boolean; skips: FeatureMap[] },
): SkipAscent {
  const { net, config, eps } = style;
  const groups = quarterGroups(channels);
  let h = from.h;
  for (let j = 0; j < config.layers_per_block + 1; j++) {
    const skip = nextSkip(skips);
    // The attention block's a + b / 4 is a slip of operator precedence that its checkpoints depend on.
    const first = attention
      ? Math.min(h.channels + Math.floor(skip.channels / 4), 32)
      : quarterGroups(h.channels + skip.channels);
    const options = { channels, groups: [first, groups], divisor } as const;
    h = resnetBlock(style, `${name}.resnets.${j}`, concatChannels(net, h, skip), options);
  }
  if (attention) h = levelAttention(style, `${name}.attentions.0`, h, { groups: attentionGroups, divisor });
  let image = from.image === undefined ? undefined : upsampleFir(net, from.image);
  if (!resamples) return { h, image };
  const even = activate(net, "silu", groupNorm(net, `${name}.skip_norm`, h, { groups, eps }));
  const contribution = conv2d(net, `${name}.skip_conv`, even, { channels: imageChannels });
  image = image === undefined ? contribution : add(net, image, contribution);
  const options = { channels, groups: [groups, groups], resample: upsampleFir, shortcut: true, divisor } as const;
  return { h: resnetBlock(style, `${name}.resnet_up`, h, options), image };
}
