/** @file Connected regions of masks. */
import type { TensorOf } from "../../tensor/tensor.ts";
import { labelInto } from "./kernels.ts";
import { checkMask, type Mask } from "./mask.ts";
import { type Neighbours, neighbourhood } from "./morphology.ts";

/** One region of ones. */
export interface Region {
  /** Pixels. */
  readonly size: number;
  /** Mean row and column of its pixels. */
  readonly centroid: readonly [row: number, column: number];
}

/**
 * The connected regions of a mask.
 * @param neighbours what connects: edges (`cross`), or corners too (`square`, the default).
 * @returns `labels` [H, W] from 1 on in the order of first pixels, 0 where the mask is; one entry a region in that order.
 * @throws ShapeError when the mask is none.
 */
export function regionsOf(
  mask: Mask,
  { neighbours = "square" }: { readonly neighbours?: Neighbours } = {},
): { readonly labels: TensorOf<"int32">; readonly regions: readonly Region[] } {
  const { height, width } = checkMask("regions", mask);
  const data = new Int32Array(mask.data.length);
  const count = labelInto(data, mask.data, { height, width, around: neighbourhood(neighbours) });
  const sums = Array.from({ length: count }, () => ({ size: 0, rows: 0, columns: 0 }));
  data.forEach((label, i) => {
    const sum = sums[label - 1];
    if (sum === undefined) return;
    sum.size += 1;
    sum.rows += Math.floor(i / width);
    sum.columns += i % width;
  });
  return {
    labels: { dtype: "int32", dims: mask.dims, data },
    regions: sums.map(({ size, rows, columns }) => ({ size, centroid: [rows / size, columns / size] })),
  };
}
