/** @file Sums, scaling and joining of feature maps. */
import { FormatError } from "../../core/errors.ts";
import { int } from "../../graph/builder.ts";
import { formatDims } from "../../tensor/shape.ts";
import { type FeatureMap, mapValue, type Net } from "../net.ts";

/** The sum of two maps; y may also be one vector per image. */
export function add({ b }: Net, x: FeatureMap, y: FeatureMap): FeatureMap {
  return mapValue(x, b.op("Add", [x.value, y.value]));
}

/** `x * factor + shift` with numbers. */
export function affine({ b }: Net, x: FeatureMap, factor: number, shift = 0): FeatureMap {
  const scaled = factor === 1 ? x.value : b.op("Mul", [x.value, b.float(factor)]);
  return mapValue(x, shift === 0 ? scaled : b.op("Add", [scaled, b.float(shift)]));
}

/**
 * The channels of x, then those of y.
 * @throws FormatError when their sizes differ: an image size that halves unevenly cannot come back up.
 */
export function concatChannels({ b }: Net, x: FeatureMap, y: FeatureMap): FeatureMap {
  if (x.height !== y.height || x.width !== y.width) {
    throw new FormatError(
      `U-Net: expected maps of one size where a skip connection joins, got ${formatDims([x.height, x.width])} and ` +
        `${formatDims([y.height, y.width])}; because the image size does not halve evenly on every level.`,
    );
  }
  return {
    ...x,
    value: b.op("Concat", [x.value, y.value], { axis: int(1) }),
    channels: x.channels + y.channels,
  };
}

/** The channels of x in equal parts. @param count must divide them. */
export function splitChannels({ b }: Net, x: FeatureMap, count: number): FeatureMap[] {
  const attributes = { axis: int(1), num_outputs: int(count) };
  const values = b.ops("Split", [x.value], attributes, { outputs: count });
  return values.map((value) => ({ ...x, value, channels: x.channels / count }));
}
