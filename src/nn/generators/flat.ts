/** @file Whole maps as one vector per image, and back. */
import type { FeatureMap, Net } from "../net.ts";

/** Every number of a map on the channel axis: channel by channel, row by row. */
export function flattened({ b }: Net, x: FeatureMap): FeatureMap {
  const channels = x.channels * x.height * x.width;
  return { value: b.op("Reshape", [x.value, b.ints(0, channels, 1, 1)]), channels, height: 1, width: 1 };
}

/** A vector per image as a map: the way back from {@link flattened}. */
export function unflattened(
  { b }: Net,
  x: FeatureMap,
  { height, width }: Pick<FeatureMap, "height" | "width">,
): FeatureMap {
  const channels = x.channels / (height * width);
  return { value: b.op("Reshape", [x.value, b.ints(0, channels, height, width)]), channels, height, width };
}
