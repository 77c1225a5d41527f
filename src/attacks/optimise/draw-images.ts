/** @file Some images of the training set, for triggers that are searched for. */
import { drawnOrder } from "../../core/noise.ts";
import { unitFromBytes } from "../../tensor/image-bytes.ts";
import { takeRows } from "../../tensor/rows.ts";
import type { Float32Tensor } from "../../tensor/tensor.ts";
import type { AttackContext } from "../attack.ts";

/**
 * Draws images: of all, or of some classes. Their order is random too.
 * @param count how many at most: no image is drawn twice. @returns float32 [M, C, H, W] in [0, 1].
 */
export function drawImages(
  { data, seed }: Pick<AttackContext, "data" | "seed">,
  count: number,
  { stream, classes }: { readonly stream: string; readonly classes?: readonly number[] },
): Float32Tensor {
  const items = data.images.dims[0] ?? 0;
  const eligible = Array.from({ length: items }, (_, i) => i).filter(
    (i) => classes === undefined || classes.includes(data.labels[i] ?? -1),
  );
  const rows = takeRows(data.images, drawnOrder(eligible, { seed, stream, items }).slice(0, count));
  return unitFromBytes(rows.dims, rows.data);
}
