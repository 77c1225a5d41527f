/** @file Which images of a split a bench measures on: the same ones for every cell, machine and day. */
import { OptionError } from "../../core/errors.ts";
import { drawnOrder } from "../../core/noise.ts";

/** Which part of the order is meant. */
export interface Draw {
  readonly count: number;
  /** Leaves out so many at the beginning of the order; none when left out. */
  readonly skip?: number | undefined;
  /** Draws those that are left anew, so that every seed has images of its own; the fixed order when left out. */
  readonly seed?: number | undefined;
}

/**
 * Draws images from a fixed order that depends on their number alone: fewer images are the first of more, so that cells of
 * different sizes are still paired.
 * @param items images of the split. @param what for messages.
 * @returns row numbers, ascending. @throws OptionError when there are not so many.
 */
export function drawnRows(items: number, { count, skip = 0, seed }: Draw, what: string): number[] {
  if (skip + count > items) {
    const beside = skip === 0 ? "" : ` beside the ${skip} that are measured`;
    throw new OptionError(`${what}: expected at most ${Math.max(items - skip, 0)} images${beside}, got ${count}.`);
  }
  const order = drawnOrder(Array(items).keys(), { seed: 0, stream: "bench/images", items });
  const left = order.slice(skip);
  const drawn = seed === undefined ? left : drawnOrder(left, { seed, stream: "bench/clean", items });
  return drawn.slice(0, count).sort((a, b) => a - b);
}
