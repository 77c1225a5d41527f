import { expect, test } from "vitest";
import { channelStatistics } from "./channel-statistics.ts";

test("mean and deviation of each channel in [0, 1]", () => {
  // Two images of two channels, 1x2 pixels: the first channel is 0, 255, 0, 255, the second always 51.
  const data = Uint8Array.of(0, 255, 51, 51, 0, 255, 51, 51);
  expect(channelStatistics({ dtype: "uint8", dims: [2, 2, 1, 2], data })).toEqual({ mean: [0.5, 0.2], std: [0.5, 1] });
});
