/** @file The ten shapes as functions of the plane: negative inside, growing like the distance near the edge. */
import { cosineOfTurn, sineOfTurn } from "./turn.ts";

/** Signed distance, about, of a point from the edge of a shape that fills the unit disc. */
export type Outline = (x: number, y: number) => number;

/** Directions of the sides of a regular polygon, the first one to the right. */
function directions(sides: number): readonly (readonly [number, number])[] {
  return Array.from({ length: sides }, (_, i) => [cosineOfTurn(i / sides), sineOfTurn(i / sides)] as const);
}

const three = directions(3);
const five = directions(5);

const length = (x: number, y: number): number => Math.sqrt(x * x + y * y);

/** The largest distance from the sides: inside all of them. */
function polygon(sides: readonly (readonly [number, number])[], inner: number): Outline {
  return (x, y) => {
    let most = Number.NEGATIVE_INFINITY;
    for (const side of sides) most = Math.max(most, side[0] * x + side[1] * y);
    return most - inner;
  };
}

/** The second largest distance from the sides of a pentagon: inside all but one, which is a pentagram. */
function star(x: number, y: number): number {
  let first = Number.NEGATIVE_INFINITY;
  let second = Number.NEGATIVE_INFINITY;
  for (const side of five) {
    const distance = side[0] * x + side[1] * y;
    second = Math.max(second, Math.min(first, distance));
    first = Math.max(first, distance);
  }
  return second - 0.38;
}

const box = (x: number, y: number, width: number, height: number): number =>
  Math.max(Math.abs(x) - width, Math.abs(y) - height);

/** Shapes that would look like others (a disc like a ring) if only their outlines were drawn. */
export const alwaysFilled: ReadonlySet<string> = new Set(["disc", "ring"]);

/** Outlines by class; the names are those of the data set. */
export const outlines: Readonly<Record<string, Outline>> = {
  disc: (x, y) => length(x, y) - 0.9,
  ring: (x, y) => Math.abs(length(x, y) - 0.72) - 0.24,
  crescent: (x, y) => Math.max(length(x, y) - 0.95, 0.8 - length(x - 0.5, y)),
  triangle: polygon(three, 0.5),
  square: (x, y) => box(x, y, 0.76, 0.76),
  pentagon: polygon(five, 0.78),
  star,
  cross: (x, y) => Math.min(box(x, y, 0.95, 0.32), box(x, y, 0.32, 0.95)),
  heart: (x, y) =>
    Math.min(
      (Math.abs(x) + Math.abs(y) - 0.78) * Math.SQRT1_2,
      length(Math.abs(x) - 0.39, y + 0.39) - 0.55, // y points down
    ),
  arrow: (x, y) => Math.min(box(x + 0.45, y, 0.5, 0.22), Math.max(-0.05 - x, (Math.abs(y) - (0.95 - x) * 0.85) * 0.76)),
};
