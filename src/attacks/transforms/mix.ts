/** @file The half mixer: two images side by side, or one above the other, as one. */
import { imageDims } from "../../tensor/shape.ts";
import { type Float32Tensor, float32 } from "../../tensor/tensor.ts";
import { halvesInto } from "./kernels.ts";

/** How two images become one. */
export interface Halves {
  /** Side by side, or one above the other. */
  readonly axis: "columns" | "rows";
  /** Columns (or rows) that the first part takes. */
  readonly cut: number;
  /** Whether the second image comes first. */
  readonly swap: boolean;
  /** Which window of each image is shown: columns (or rows) that are left out before it. */
  readonly skip: readonly [first: number, second: number];
}

/** Numbers in [0, 1) that {@link drawHalves} takes. */
export const HALVES_DRAWS = 5;

/**
 * A mix from five uniform numbers: axis, cut about the middle, order, and window of each image.
 * @param jitter pixels by which the cut leaves the middle at most.
 */
export function drawHalves(
  [axis = 0, cut = 0, swap = 0, first = 0, second = 0]: readonly number[],
  { height, width, jitter }: { readonly height: number; readonly width: number; readonly jitter: number },
): Halves {
  const size = axis < 0.5 ? width : height;
  const most = Math.min(jitter, Math.floor(size / 2) - 1);
  const at = Math.floor(size / 2) + Math.floor(cut * (2 * most + 1)) - most;
  const swapped = swap >= 0.5;
  const window = (draw: number, shown: number): number => Math.floor(draw * (size - shown + 1));
  const shown = swapped ? [size - at, at] : [at, size - at];
  return {
    axis: axis < 0.5 ? "columns" : "rows",
    cut: at,
    swap: swapped,
    skip: [window(first, shown[0] ?? at), window(second, shown[1] ?? at)],
  };
}

/**
 * Mixes two batches image by image.
 * @param halvesOf how row i is mixed. @returns new images of equal dims.
 * @source Lin, Xu, Liu, Zhang 2020, "Composite Backdoor Attack for Deep Neural Network by Mixing Existing Benign
 * Features", section 4.2, the half-concat mixer.
 */
export function mixHalves(
  first: Float32Tensor,
  second: Float32Tensor,
  halvesOf: (row: number) => Halves,
): Float32Tensor {
  const { n, c, h, w } = imageDims("mix", first.dims);
  const out = float32(first.dims);
  const size = c * h * w;
  for (let row = 0; row < n; row++) {
    const [a, b] = [first, second].map(({ data }) => data.subarray(row * size, (row + 1) * size));
    if (a === undefined || b === undefined) continue;
    const { axis, cut, swap, skip } = halvesOf(row);
    const plane = { channels: c, height: h, width: w, columns: axis === "columns" };
    const own = out.data.subarray(row * size, (row + 1) * size);
    const end = axis === "columns" ? w : h;
    halvesInto(own, swap ? b : a, { ...plane, from: 0, to: cut, skip: swap ? skip[1] : skip[0] });
    halvesInto(own, swap ? a : b, { ...plane, from: cut, to: end, skip: swap ? skip[0] : skip[1] });
  }
  return out;
}
