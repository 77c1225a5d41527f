/** @file Group normalisation. */
import { FormatError } from "../../core/errors.ts";
import { float } from "../../graph/builder.ts";
import type { ValueName } from "../../graph/ir.ts";
import { type FeatureMap, mapValue, type Net } from "../net.ts";

/** Settings of {@link groupNorm}. */
export interface GroupNormOptions {
  readonly groups: number;
  readonly eps: number;
  /** Makes the result `norm(x) * (1 + scale) + shift`, one vector per image. */
  readonly film?: { readonly scale: FeatureMap; readonly shift: FeatureMap } | undefined;
}

/**
 * Normalises every group of channels of every image to mean 0 and variance 1, then scales and shifts each channel by
 * `name.weight` and `name.bias`.
 *
 * Written as instance normalisation over [N, groups, rest], then one BatchNormalization with mean 0 and variance 1,
 * which is nothing but the scale and shift of each channel in one pass (Mul and Add would be two).
 * @throws FormatError when the groups do not divide the channels, or as {@link Weights.take}.
 * @source Wu and He 2018, "Group Normalization". https://arxiv.org/abs/1803.08494
 */
export function groupNorm(net: Net, name: string, x: FeatureMap, { groups, eps, film }: GroupNormOptions): FeatureMap {
  const { b, weights } = net;
  const { channels, height, width } = x;
  if (groups < 1 || channels % groups !== 0) {
    throw new FormatError(`${name}: expected a number of groups that divides ${channels} channels, got ${groups}.`);
  }
  const constant = (count: number, value: number): ValueName =>
    b.constant({ dtype: "float32", dims: [count], data: new Float32Array(count).fill(value) });
  const grouped = b.op("Reshape", [x.value, b.ints(0, groups, -1)]);
  const attributes = { epsilon: float(eps) };
  const even = b.op("InstanceNormalization", [grouped, constant(groups, 1), constant(groups, 0)], attributes);
  const normal = b.op("Reshape", [even, b.ints(0, channels, height, width)]);
  const scale = b.weight(`${name}.weight`, weights.take(`${name}.weight`, [channels]));
  const shift = b.weight(`${name}.bias`, weights.take(`${name}.bias`, [channels]));
  if (film === undefined) {
    const inputs = [normal, scale, shift, constant(channels, 0), constant(channels, 1)];
    return mapValue(x, b.op("BatchNormalization", inputs, { epsilon: float(0) }));
  }
  // (n * w + v) * (1 + s) + t  =  n * [w (1 + s)] + [v (1 + s) + t]: the brackets are one vector per image.
  const column = b.ints(channels, 1, 1);
  const factor = b.op("Add", [film.scale.value, b.float(1)]);
  const slope = b.op("Mul", [b.op("Reshape", [scale, column]), factor]);
  const offset = b.op("Add", [b.op("Mul", [b.op("Reshape", [shift, column]), factor]), film.shift.value]);
  return mapValue(x, b.op("Add", [b.op("Mul", [normal, slope]), offset]));
}
