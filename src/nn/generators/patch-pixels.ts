/** @file From a vector per patch to the picture that the patches make. */
import { ints } from "../../graph/builder.ts";
import type { Tokens } from "../layers/tokens.ts";
import type { FeatureMap, Net } from "../net.ts";
import type { PatchGrid } from "./sincos-positions.ts";

/**
 * Lays the patches side by side.
 * @param x a token per patch, row by row; its channels are the patch's pixels, row by row, all colours of each.
 */
export function pixelsOfPatches(
  { b }: Net,
  x: Tokens,
  { rows, columns, patch }: PatchGrid & { readonly patch: number },
): FeatureMap {
  const channels = x.channels / patch ** 2;
  const [height, width] = [rows * patch, columns * patch];
  const split = b.op("Reshape", [x.value, b.ints(0, rows, columns, patch, patch, channels)]);
  const image = b.op("Transpose", [split], { perm: ints(0, 5, 1, 3, 2, 4) }); // [N, channels, rows, patch, columns, patch]
  return { value: b.op("Reshape", [image, b.ints(0, channels, height, width)]), channels, height, width };
}
