/** @file Looks at an image from where it is read best: an affine move that a small network chooses for each image. */
import { int, ints, string } from "../../graph/builder.ts";
import type { ValueName } from "../../graph/ir.ts";
import { float32 } from "../../tensor/tensor.ts";
import { activate } from "../layers/activation.ts";
import { conv2d, linear } from "../layers/conv.ts";
import { type FeatureMap, mapValue, type Net } from "../net.ts";
import { flattened } from "./flat.ts";

/** Channels of the three convolutions that halve the size, and of the vector behind them. */
const WIDTHS = [32, 64, 128] as const;
const HIDDEN = 128;
/** Numbers of an affine move: two rows of three. */
const AFFINE = 6;
const IDENTITY = [1, 0, 0, 0, 1, 0];

/**
 * Moves every image by an affine map of its own; what comes from outside is zeros. Tensors: `name.conv.<i>`, `name.dense`;
 * `name.affine`, the [6, 128] numbers of the last layer as one vector, and `name.start`, what it adds to the identity: fresh
 * ones are zeros, so that at first nothing moves.
 * @throws FormatError as {@link Weights.take}.
 * @source Jaderberg et al. 2015, "Spatial Transformer Networks", section 3. https://arxiv.org/abs/1506.02025
 */
export function spatialTransformer(net: Net, name: string, x: FeatureMap): FeatureMap {
  const { b, weights } = net;
  let h = x;
  for (const [i, channels] of WIDTHS.entries()) {
    h = activate(net, "relu", conv2d(net, `${name}.conv.${i}`, h, { channels, stride: 2 }));
  }
  const hidden = activate(net, "relu", linear(net, [{ name: `${name}.dense`, channels: HIDDEN }], flattened(net, h)));
  const stored = b.weight(`${name}.affine`, weights.take(`${name}.affine`, [AFFINE * HIDDEN]));
  const kernel = b.op("Reshape", [stored, b.ints(AFFINE, HIDDEN, 1, 1)]);
  const start = b.weight(`${name}.start`, weights.take(`${name}.start`, [AFFINE]));
  const moves = b.op("Conv", [hidden.value, kernel, start], { kernel_shape: ints(1, 1) });
  const theta = b.op("Add", [moves, b.constant(float32([AFFINE, 1, 1], IDENTITY))]); // [N, 6, 1, 1]
  const grid = affineGrid(net, theta, x);
  const attributes = { mode: string("bilinear"), padding_mode: string("zeros"), align_corners: int(0) };
  return mapValue(x, b.op("GridSample", [x.value, grid], attributes));
}

/** Where every pixel looks, [N, height, width, 2]: x before y, both from -1 to 1 between the outer edges. */
function affineGrid({ b }: Net, theta: ValueName, { height, width }: FeatureMap): ValueName {
  const centres = (count: number): number[] => Array.from({ length: count }, (_, i) => (2 * i + 1) / count - 1);
  const across = b.constant(float32([1, 1, 1, width], centres(width)));
  const down = b.constant(float32([1, 1, height, 1], centres(height)));
  const rows = b.op("Reshape", [theta, b.ints(0, 2, 3, 1)]);
  const factor = (index: number): ValueName => b.op("Slice", [rows, b.ints(index), b.ints(index + 1), b.ints(2)]); // [N, 2, 1, 1]
  const sideways = b.op("Mul", [factor(0), across]);
  const upright = b.op("Mul", [factor(1), down]);
  const sum = b.op("Add", [b.op("Add", [sideways, upright]), factor(2)]); // [N, 2, height, width]
  return b.op("Transpose", [sum], { perm: ints(0, 2, 3, 1) });
}
