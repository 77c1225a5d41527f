/** @file How many images a step takes: as many as asked for, unless there are fewer, or the network takes a fixed number. */
import { OptionError } from "../core/errors.ts";
import type { RepairContext } from "./repair.ts";

/** Images of one step. @throws OptionError when the network takes more at a time than there are to learn from. */
export function fitBatch(wanted: number, { net, learned }: Pick<RepairContext, "net" | "learned">): number {
  const items = learned.labels.length;
  const fixed = net.signature.image.batch;
  if (fixed !== undefined && fixed > items) {
    throw new OptionError(
      `repair: expected at least ${fixed} images to learn from, since the network takes so many at a time, got ${items}. Do give more, or export it with a dynamic batch.`,
    );
  }
  return fixed ?? Math.min(wanted, items);
}
