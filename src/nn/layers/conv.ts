/** @file Convolutions, and linear layers as 1x1 convolutions. */
import { int, ints } from "../../graph/builder.ts";
import type { ValueName } from "../../graph/ir.ts";
import type { FeatureMap, Net } from "../net.ts";

/** Padding in rows and columns. */
export type Pads = readonly [top: number, left: number, bottom: number, right: number];

/** Settings of {@link conv2d}. */
export interface ConvOptions {
  /** Output channels. */
  readonly channels: number;
  /** Side of the square kernel; 3 when left out. */
  readonly kernel?: number;
  /** 1 when left out. */
  readonly stride?: number;
  /** Zeros around the input; as many as keep the size at stride 1 when left out. */
  readonly pads?: Pads;
  /** Groups of channels that do not see each other: as many as channels make it depthwise; 1 when left out. */
  readonly groups?: number;
  /** False where a norm follows that shifts anyway; true when left out. */
  readonly bias?: boolean;
}

/**
 * A convolution: `name.weight` [channels, x.channels / groups, kernel, kernel] and `name.bias`.
 * @throws FormatError as {@link Weights.take}.
 */
export function conv2d(net: Net, name: string, x: FeatureMap, options: ConvOptions): FeatureMap {
  const { channels, kernel = 3, stride = 1, groups = 1, bias = true } = options;
  const margin = (kernel - 1) / 2;
  const pads = options.pads ?? [margin, margin, margin, margin];
  const { b, weights } = net;
  const dims = [channels, x.channels / groups, kernel, kernel];
  const inputs = [x.value, b.weight(`${name}.weight`, weights.take(`${name}.weight`, dims))];
  if (bias) inputs.push(b.weight(`${name}.bias`, weights.take(`${name}.bias`, [channels])));
  const attributes = {
    kernel_shape: ints(kernel, kernel),
    strides: ints(stride, stride),
    pads: ints(...pads),
    ...(groups === 1 ? {} : { group: int(groups) }),
  };
  const size = (side: number, before: number, after: number): number =>
    Math.floor((side + before + after - kernel) / stride) + 1;
  return {
    value: b.op("Conv", inputs, attributes),
    channels,
    height: size(x.height, pads[0], pads[2]),
    width: size(x.width, pads[1], pads[3]),
  };
}

/** One stored linear layer of {@link linear}. */
export interface LinearLayer {
  readonly name: string;
  /** Output channels. */
  readonly channels: number;
  /** Axes of a weight that no checkpoint has yet: 4 where the network's authors have a 1x1 convolution. @default 2 */
  readonly rank?: 2 | 4;
}

/**
 * A linear layer with bias over the channels of every pixel. Several layers on the same input are computed as one;
 * their outputs follow each other on the channel axis.
 *
 * It is written as a 1x1 convolution also where the input is one vector per image: a matrix product chooses its kernel
 * by the number of rows, so that an image's result would depend on how many others are in the batch.
 * @param layers `name.weight` is [channels, x.channels], or the same with trailing ones (a stored 1x1 convolution).
 * @throws FormatError as {@link Weights.take}.
 */
export function linear({ b, weights }: Net, layers: readonly LinearLayer[], x: FeatureMap): FeatureMap {
  const kernels = layers.map(({ name, channels, rank: unstored = 2 }) => {
    const rank = Math.min(Math.max(weights.dimsOf(`${name}.weight`)?.length ?? unstored, 2), 4);
    const dims = [channels, x.channels, 1, 1].slice(0, rank);
    const weight = b.weight(`${name}.weight`, weights.take(`${name}.weight`, dims));
    return rank === 4 ? weight : b.op("Reshape", [weight, b.ints(channels, x.channels, 1, 1)]);
  });
  const biases = layers.map(({ name, channels }) => b.weight(`${name}.bias`, weights.take(`${name}.bias`, [channels])));
  const join = (parts: readonly ValueName[]): ValueName => {
    const [only] = parts;
    return parts.length === 1 && only !== undefined ? only : b.op("Concat", parts, { axis: int(0) });
  };
  return {
    ...x,
    value: b.op("Conv", [x.value, join(kernels), join(biases)], { kernel_shape: ints(1, 1) }),
    channels: layers.reduce((sum, { channels }) => sum + channels, 0),
  };
}
