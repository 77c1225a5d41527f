/** @file Batches of any size through models and servers that take a bounded or a fixed number of images at once. */
import { concatRows, rowsOf } from "../tensor/rows.ts";
import { type Float32Tensor, float32 } from "../tensor/tensor.ts";

/**
 * Calls `classify` for `size` images after the other and joins the scores.
 * @param classify is given the images and the number of the first one; it returns their scores [n, K].
 * @param signal checked before each call.
 * @returns scores [N, K]; [0, `classes`] for no images.
 */
export async function classifyInChunks(
  images: Float32Tensor,
  size: number,
  classify: (images: Float32Tensor, first: number) => Promise<Float32Tensor>,
  { signal, classes }: { readonly signal: AbortSignal | undefined; readonly classes: () => number | undefined },
): Promise<Float32Tensor> {
  const parts: Float32Tensor[] = [];
  const n = images.dims[0] ?? 0;
  for (let first = 0; first < n; first += size) {
    signal?.throwIfAborted();
    parts.push(await classify(rowsOf(images, first, Math.min(first + size, n)), first));
  }
  return parts.length === 0 ? float32([0, classes() ?? 0]) : concatRows(parts);
}
