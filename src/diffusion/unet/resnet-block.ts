/** @file The residual block that all these U-Nets share; only the names of its tensors differ. */
import { type ActivationName, activate } from "../../nn/layers/activation.ts";
import { conv2d, linear } from "../../nn/layers/conv.ts";
import { add, affine, splitChannels } from "../../nn/layers/elementwise.ts";
import { groupNorm } from "../../nn/layers/group-norm.ts";
import type { Resample } from "../../nn/layers/resample.ts";
import type { TimeProjections } from "../../nn/layers/time-projections.ts";
import type { FeatureMap, Net } from "../../nn/net.ts";

/** What the layers of a block are called, after the block's own name and a dot. */
export interface ResnetNames {
  readonly norm1: string;
  readonly conv1: string;
  readonly time: string;
  readonly norm2: string;
  readonly conv2: string;
  readonly shortcut: string;
}

/** What all residual blocks of one net have in common. */
export interface ResnetStyle {
  readonly net: Net;
  readonly names: ResnetNames;
  readonly time: TimeProjections;
  readonly act: ActivationName;
  readonly eps: number;
  /** Whether the time embedding scales and shifts the second norm's output, or is added before that norm. */
  readonly scaleShift: boolean;
}

/** What differs from block to block. */
export interface ResnetOptions {
  /** Output channels. */
  readonly channels: number;
  /** Groups of the first and of the second norm. */
  readonly groups: readonly [first: number, second: number];
  /** Halves or doubles both branches before the first convolution. */
  readonly resample?: Resample | undefined;
  /** A 1x1 convolution on the shortcut even where channels agree. */
  readonly shortcut?: boolean;
  /** The sum of both branches is divided by this; 1 when left out. */
  readonly divisor?: number;
}

/**
 * norm1, activation, (resampling), conv1, time, norm2, activation, conv2; plus the input, through a 1x1 convolution
 * where channels differ.
 * @throws FormatError when the checkpoint does not fit.
 * @source Ho et al. 2020, "Denoising Diffusion Probabilistic Models", appendix B; scale and shift: Dhariwal and Nichol 2021, section 3.1
 */
export function resnetBlock(style: ResnetStyle, name: string, x: FeatureMap, options: ResnetOptions): FeatureMap {
  const { net, names, act, scaleShift } = style;
  const { channels, resample = (_, map) => map, groups, divisor = 1 } = options;
  const at = (layer: keyof ResnetNames): string => `${name}.${names[layer]}`;
  const [first, second] = groups.map((count) => ({ groups: count, eps: style.eps }));
  if (first === undefined || second === undefined) throw new Error("internal: resnet block without two norms");

  const even = resample(net, activate(net, act, groupNorm(net, at("norm1"), x, first)));
  const inner = conv2d(net, at("conv1"), even, { channels });
  const time = style.time(at("time"), scaleShift ? 2 * channels : channels);
  let timed: FeatureMap;
  if (scaleShift) {
    const [scale = time, shift = time] = splitChannels(net, time, 2);
    timed = groupNorm(net, at("norm2"), inner, { ...second, film: { scale, shift } });
  } else {
    timed = groupNorm(net, at("norm2"), add(net, inner, time), second);
  }
  const branch = conv2d(net, at("conv2"), activate(net, act, timed), { channels });

  const direct = resample(net, x);
  const convolved = options.shortcut === true || x.channels !== channels;
  const shortcut = convolved ? linear(net, [{ name: at("shortcut"), channels, rank: 4 }], direct) : direct;
  return affine(net, add(net, shortcut, branch), 1 / divisor);
}
