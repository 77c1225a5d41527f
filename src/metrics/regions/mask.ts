/** @file What a mask is. */
import { ShapeError } from "../../core/errors.ts";
import { formatDims } from "../../tensor/shape.ts";
import type { TensorOf } from "../../tensor/tensor.ts";
import type { MaskSize } from "./kernels.ts";

/** [H, W], 0 where nothing is; everything else counts as 1. */
export type Mask = TensorOf<"uint8">;

/** The size of a mask. @throws ShapeError when it has not two axes. */
export function checkMask(what: string, { dims }: Mask): MaskSize {
  const [height, width] = dims;
  if (dims.length !== 2 || height === undefined || width === undefined) {
    throw new ShapeError(`${what}: expected a mask [H, W], got ${formatDims(dims)}.`);
  }
  return { height, width };
}
