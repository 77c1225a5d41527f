/** @file Some images of a data set, as networks and their losses see them. */
import { imageDims } from "../../tensor/shape.ts";
import { type Float32Tensor, float32, type TensorOf } from "../../tensor/tensor.ts";
import { unitInto } from "./kernels.ts";

/**
 * Images by their rows, in [0, 1].
 * @param images uint8 [M, C, H, W]. @param rows indices into M. @returns float32 [rows, C, H, W].
 */
export function unitImages(images: TensorOf<"uint8">, rows: ArrayLike<number>): Float32Tensor {
  const { c, h, w } = imageDims("training", images.dims);
  const size = c * h * w;
  const out = new Float32Array(rows.length * size);
  for (let i = 0; i < rows.length; i++) {
    const from = (rows[i] ?? 0) * size;
    unitInto(out.subarray(i * size, (i + 1) * size), images.data.subarray(from, from + size));
  }
  return float32([rows.length, c, h, w], out);
}
