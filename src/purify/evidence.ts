/** @file Maps that explain what a purifier did: [N, 1, H, W] in [0, 1]. */
import { imageDims } from "../tensor/shape.ts";
import { arrayOf, type Float32Tensor, float32, type RealTensor } from "../tensor/tensor.ts";
import { channelDifferenceInto, stretchInto } from "./kernels.ts";

/** Mean absolute difference over channels of two batches [N, C, H, W] in [0, 1]. */
export function differenceMap(before: Float32Tensor, after: Float32Tensor): Float32Tensor {
  const { n, c, h, w } = imageDims("difference map", before.dims);
  const map = float32([n, 1, h, w]);
  channelDifferenceInto(map.data, before.data, after.data, c, h * w);
  return map;
}

/**
 * Every map of a batch [N, 1, H, W] moved and scaled so that its smallest value is 0 and its largest 1; a map whose
 * values are all equal becomes `flat` everywhere.
 */
export function stretched<T extends RealTensor>(maps: T, flat: number): T {
  const { h, w } = imageDims("stretch", maps.dims);
  const data = new arrayOf[maps.dtype](maps.data.length);
  stretchInto(data, maps.data, h * w, flat);
  return { dtype: maps.dtype, dims: maps.dims, data } as T;
}
