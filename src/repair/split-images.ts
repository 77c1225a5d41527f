/** @file Clean images divided into those that are learned from and those that thresholds are chosen on. */
import { OptionError } from "../core/errors.ts";
import { heldOutRows } from "../data/splits.ts";
import { takeRows } from "../tensor/rows.ts";
import { type CleanImages, LEAST_IMAGES } from "./repair.ts";

/** Share of every class that is held out. */
const HELD_SHARE = 0.3;

/**
 * Divides clean images by seed, class by class; of a class at least one image is learned from.
 * @param held whether any are held out. @throws OptionError when there are too few.
 */
export function splitImages(
  { images, labels }: CleanImages,
  { seed, held }: { readonly seed: number; readonly held: boolean },
): { readonly learned: CleanImages; readonly held: CleanImages } {
  if (labels.length < LEAST_IMAGES) {
    throw new OptionError(
      `repair: expected at least ${LEAST_IMAGES} clean images with labels, got ${labels.length}. Do give more; a few hundred are usual.`,
    );
  }
  const ids = Uint16Array.from(labels);
  const chosen = new Set(held ? heldOutRows({ labels: ids }, HELD_SHARE, `repair/${seed}`) : []);
  const rows = Array.from(ids.keys());
  const part = (own: readonly number[]): CleanImages => ({
    images: takeRows(images, own),
    labels: own.map((row) => ids[row] ?? 0),
  });
  if (held && chosen.size === 0) {
    throw new OptionError(
      `repair: expected two images or more of some class, so that some can be held out, got ${labels.length} images with none. Do give more.`,
    );
  }
  return { learned: part(rows.filter((row) => !chosen.has(row))), held: part(rows.filter((row) => chosen.has(row))) };
}
