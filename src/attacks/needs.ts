/** @file What attacks ask of data and context before they begin. */
import { OptionError } from "../core/errors.ts";
import { imageDims } from "../tensor/shape.ts";
import type { AttackContext, AttackDescriptor } from "./attack.ts";
import type { ImageShape } from "./trigger.ts";

/** What data look like, as far as attacks ask. */
export interface DataShape {
  /** [C, H, W] */
  readonly shape: ImageShape;
  readonly classes: number;
}

/**
 * Why an attack cannot work on such data, as a sentence; `undefined` when it can. Needs no data, so that a plan of many
 * cells can be refused before any work.
 */
export function misfit(
  { name, needs }: Pick<AttackDescriptor, "name" | "needs">,
  { shape: [c, h, w], classes }: DataShape,
): string | undefined {
  if (needs.colour === true && c !== 3) {
    return `${name}: expected images of 3 channels, got ${c}; the attack changes colours. Do choose colour data.`;
  }
  if (needs.side !== undefined && Math.min(h, w) < needs.side) {
    return `${name}: expected images of at least ${needs.side} pixels a side, got ${h}x${w}.`;
  }
  if (needs.classes !== undefined && classes < needs.classes) {
    return `${name}: expected at least ${needs.classes} classes, got ${classes}.`;
  }
  return undefined;
}

/**
 * Checks data and context against what an attack needs.
 * @returns shape and classes of the data. @throws OptionError that says what is missing; ShapeError when images are none.
 */
export function requireNeeds(descriptor: Pick<AttackDescriptor, "name" | "needs">, context: AttackContext): DataShape {
  const { name, needs } = descriptor;
  const { c, h, w } = imageDims(name, context.data.images.dims);
  const data: DataShape = { shape: [c, h, w], classes: context.data.classes };
  const problem = misfit(descriptor, data);
  if (problem !== undefined) throw new OptionError(problem);
  if (needs.surrogate === true && context.surrogate === undefined) {
    throw new OptionError(`${name}: expected a classifier trained on clean data, got none. Give one.`);
  }
  if (needs.runtime === true && context.runtime === undefined) {
    throw new OptionError(`${name}: expected a runtime for its networks, got none. Give one.`);
  }
  return data;
}
