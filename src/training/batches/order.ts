/** @file Which images make up which batch: every epoch a new random order, the same for the same seed. */

import { OptionError } from "../../core/errors.ts";
import { uniforms } from "../../core/noise.ts";
import { shuffleInto } from "../kernels.ts";

/** Where images are drawn from. */
export interface OrderSettings {
  /** Images in all. */
  readonly items: number;
  /** Images of one batch. */
  readonly batch: number;
  readonly seed: number;
}

/** Whole batches in one epoch: what is left over is drawn in another epoch's order. */
export function stepsPerEpoch({ items, batch }: Pick<OrderSettings, "items" | "batch">): number {
  return Math.floor(items / batch);
}

/**
 * The images of a step's batch, as indices.
 * @throws OptionError when there are fewer images than one batch has.
 */
export function createOrder(settings: OrderSettings): (step: number) => Uint32Array {
  const { items, batch, seed } = settings;
  const perEpoch = stepsPerEpoch(settings);
  if (perEpoch < 1) throw new OptionError(`training: expected at least ${batch} images for a batch, got ${items}.`);
  let known: { epoch: number; order: Uint32Array } | undefined;
  return (step) => {
    const epoch = Math.floor(step / perEpoch);
    if (known?.epoch !== epoch) {
      const order = Uint32Array.from({ length: items }, (_, i) => i);
      shuffleInto(order, uniforms(seed, "order", epoch, items));
      known = { epoch, order };
    }
    const from = (step % perEpoch) * batch;
    return known.order.slice(from, from + batch);
  };
}
