/** @file Positions between -1 and 1 as positions in pixels, and what lies outside an image. */

/** `zeros`, the nearest edge pixel, or the image mirrored again and again. */
export type Outside = "zeros" | "border" | "reflection";

/** The position in pixels along an axis of `size` that a position from -1 to 1 stands for. */
export function coordinateOf(unit: number, size: number, alignCorners: boolean): number {
  return alignCorners ? ((unit + 1) / 2) * (size - 1) : ((unit + 1) * size - 1) / 2;
}

/** The position from -1 to 1 of a position in pixels. */
export function unitOf(coordinate: number, size: number, alignCorners: boolean): number {
  if (!alignCorners) return (2 * coordinate + 1) / size - 1;
  return size > 1 ? (2 * coordinate) / (size - 1) - 1 : 0;
}

/** A position in pixels brought into the axis, unless zeros are outside. */
export function padded(
  coordinate: number,
  size: number,
  { outside, alignCorners }: { readonly outside: Outside; readonly alignCorners: boolean },
): number {
  if (outside === "zeros") return coordinate;
  const inside = outside === "border" ? coordinate : reflected(coordinate, size, alignCorners);
  return Math.min(Math.max(inside, 0), size - 1);
}

/** Mirrored at the centres of the edge pixels, or at the edges of the image. */
function reflected(coordinate: number, size: number, alignCorners: boolean): number {
  const low = alignCorners ? 0 : -0.5;
  const span = alignCorners ? size - 1 : size;
  if (span === 0) return 0;
  const distance = Math.abs(coordinate - low);
  const extra = distance % span;
  return low + (Math.floor(distance / span) % 2 === 0 ? extra : span - extra);
}
