/** @file The attention block that all these U-Nets share; names, heads and the order of q, k and v differ. */
import { FormatError } from "../../core/errors.ts";
import { type AttentionOptions, attend } from "../../nn/layers/attention.ts";
import { linear } from "../../nn/layers/conv.ts";
import { add, affine } from "../../nn/layers/elementwise.ts";
import { groupNorm } from "../../nn/layers/group-norm.ts";
import type { FeatureMap, Net } from "../../nn/net.ts";

/** What the layers of a block are called, after the block's own name and a dot. */
export interface AttentionNames {
  readonly norm: string;
  /** One layer that gives all of q, k and v, or three. */
  readonly qkv: readonly string[];
  readonly out: string;
}

/** Settings of {@link attentionBlock}. */
export interface AttentionBlockOptions extends AttentionOptions {
  readonly names: AttentionNames;
  /** Channels of q (and of k and of v); those of x when left out. */
  readonly channels?: number;
  /** Groups of the norm before attention; undefined when there is no norm. */
  readonly groups: number | undefined;
  readonly eps: number;
  /** The sum of input and attention is divided by this; 1 when left out. */
  readonly divisor?: number;
}

/**
 * Normalise, attend over all pixels, project, add the input.
 * @throws FormatError when the checkpoint does not fit, or the heads do not divide the channels.
 */
export function attentionBlock(net: Net, name: string, x: FeatureMap, options: AttentionBlockOptions): FeatureMap {
  const { names, heads, order, groups, eps, channels = x.channels, divisor = 1 } = options;
  if (heads < 1 || channels % heads !== 0) {
    throw new FormatError(`${name}: expected a number of heads that divides ${channels} channels, got ${heads}.`);
  }
  const even = groups === undefined ? x : groupNorm(net, `${name}.${names.norm}`, x, { groups, eps });
  const share = (3 * channels) / names.qkv.length;
  const qkv = linear(
    net,
    names.qkv.map((layer) => ({ name: `${name}.${layer}`, channels: share })),
    even,
  );
  const seen = attend(net, qkv, { heads, order });
  const projected = linear(net, [{ name: `${name}.${names.out}`, channels: x.channels }], seen);
  return affine(net, add(net, projected, x), 1 / divisor);
}
