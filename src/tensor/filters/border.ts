/** @file How images continue beyond their edges, for filters that look there. */
import { ShapeError } from "../../core/errors.ts";

/**
 * `mirror` reflects about the edge pixel, `symmetric` about the edge and so repeats that pixel, `edge` goes on with it,
 * `zero` with zeros.
 */
export type Border = "mirror" | "symmetric" | "edge" | "zero";

/**
 * Which pixel of an axis of `size` pixels stands at each position from `-before` to `size - 1 + after`; -1 for a zero.
 * @throws ShapeError when the axis is too short to be mirrored so far.
 */
export function bordered(
  size: number,
  { before, after }: { readonly before: number; readonly after: number },
  border: Border,
): Int32Array {
  const longest = border === "mirror" ? size - 1 : size;
  if ((border === "mirror" || border === "symmetric") && Math.max(before, after) > longest) {
    throw new ShapeError(
      `filter: expected an axis of at least ${Math.max(before, after) + size - longest} pixels, to be mirrored, got ${size}.`,
    );
  }
  return Int32Array.from({ length: before + size + after }, (_, position) => {
    const i = position - before;
    if (i >= 0 && i < size) return i;
    if (border === "zero") return -1;
    if (border === "edge") return i < 0 ? 0 : size - 1;
    const shift = border === "mirror" ? 0 : 1;
    return i < 0 ? -i - shift : 2 * (size - 1) - i + shift;
  });
}
