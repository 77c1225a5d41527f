/** @file Which training images an attacker edits, and the edited rows. */
import { OptionError } from "../core/errors.ts";
import { createNoise, drawnOrder, type ImageId } from "../core/noise.ts";
import { bytesFromUnit, unitFromBytes } from "../tensor/image-bytes.ts";
import { takeRows } from "../tensor/rows.ts";
import { formatDims } from "../tensor/shape.ts";
import type { AttackContext, PoisonedRows, PoisonRun, TrainingImages } from "./attack.ts";
import { type LabelMap, targetOf } from "./label-map.ts";
import type { Trigger } from "./trigger.ts";

/** Rows in one call of a trigger. */
const CHUNK = 256;

/** How many images are poisoned, and of which. */
export interface PoisonShare {
  /** 0..1 */
  readonly ratio: number;
  /** Share of what: the whole training set, or the images that may be poisoned. */
  readonly of: "training set" | "eligible images";
  /** Which images may be poisoned, in words: `images of class 3`. */
  readonly who: string;
  /** Their indices. */
  readonly eligible: readonly number[];
}

/**
 * Draws the images to poison. An image's chance is a function of the seed and its index alone, so that a larger ratio
 * takes the same images and more.
 * @param what who asks, for messages. @returns exactly `round(ratio * size)` indices, ascending.
 * @throws OptionError when there are not so many eligible images, or when not even one is asked for.
 */
export function chooseRows(
  what: string,
  { ratio, of, who, eligible }: PoisonShare,
  { items, seed, stream = "poison" }: { readonly items: number; readonly seed: number; readonly stream?: string },
): Int32Array {
  const size = of === "training set" ? items : eligible.length;
  const count = Math.round(ratio * size);
  if (count > eligible.length) {
    throw new OptionError(
      `${what}: expected a poison ratio of at most ${roundDown(eligible.length / items)}, since ${eligible.length} of ${items} training images are ${who}, got ${ratio}.`,
    );
  }
  if (count === 0 && ratio > 0) {
    throw new OptionError(
      `${what}: expected a poison ratio that makes at least one image of ${size} (${who}), got ${ratio}.`,
    );
  }
  return Int32Array.from(drawnOrder(eligible, { seed, stream, items }).slice(0, count)).sort();
}

/** Downwards at four digits: the limit that a message names must itself be allowed. */
function roundDown(ratio: number): number {
  return Math.floor(ratio * 1e4) / 1e4;
}

/** The classes whose images may be poisoned, with the words for them. */
export function eligibleFor(
  { labels, images }: TrainingImages,
  map: LabelMap,
  { cleanLabel = false }: { readonly cleanLabel?: boolean } = {},
): Pick<PoisonShare, "who" | "eligible"> {
  const items = images.dims[0] ?? 0;
  const of = (keep: (label: number) => boolean): number[] =>
    Array.from({ length: items }, (_, i) => i).filter((i) => keep(labels[i] ?? -1));
  if (cleanLabel && map.kind !== "all-to-all") {
    return { who: `images of class ${map.target}`, eligible: of((label) => label === map.target) };
  }
  if (map.kind === "source-to-target") {
    return { who: `images of class ${map.sources.join(", ")}`, eligible: of((label) => map.sources.includes(label)) };
  }
  return { who: "images of any class", eligible: of(() => true) };
}

/** Ids of training images: their indices, so that the same image gets the same noise in every batch and order. */
export function indexIds(indices: ArrayLike<number>): ImageId[] {
  return Array.from(indices, (index) => [index, 0]);
}

/** What becomes of the chosen rows. */
export interface PoisonPlan {
  /** Rows that get the trigger and the attacker's label. */
  readonly chosen: Int32Array;
  /** Rows that get the trigger and keep their label. */
  readonly covers?: Int32Array | undefined;
  /** Labels stay as they are. */
  readonly cleanLabel?: boolean | undefined;
}

/** Puts the trigger onto chosen training images and relabels them; 8-bit. @throws what the trigger throws. */
export async function poisonRows(
  trigger: Trigger,
  { data, seed }: Pick<AttackContext, "data" | "seed">,
  { chosen, covers = new Int32Array(), cleanLabel = false }: PoisonPlan,
  run: PoisonRun,
): Promise<PoisonedRows> {
  const isChosen = new Set(chosen);
  const indices = Int32Array.from([...chosen, ...covers.filter((index) => !isChosen.has(index))]).sort();
  const clean = takeRows(data.images, indices);
  const size = clean.data.length / Math.max(indices.length, 1);
  const bytes = new Uint8Array(clean.data.length);
  for (let from = 0; from < indices.length; from += CHUNK) {
    run.signal?.throwIfAborted();
    const to = Math.min(from + CHUNK, indices.length);
    const rows = unitFromBytes([to - from, ...clean.dims.slice(1)], clean.data.subarray(from * size, to * size));
    const noise = createNoise(seed, indexIds(indices.subarray(from, to)));
    bytes.set(bytesFromUnit(await trigger.apply(rows, { noise, signal: run.signal })), from * size);
    run.progress?.(to, indices.length);
  }
  const triggered = Uint8Array.from(indices, (index) => (isChosen.has(index) ? 1 : 0));
  return {
    indices,
    images: { dtype: "uint8", dims: clean.dims, data: bytes },
    labels: indices.map((index, i) => {
      const label = data.labels[index] ?? -1;
      return triggered[i] === 1 && !cleanLabel ? (targetOf(trigger.labels, label) ?? label) : label;
    }),
    triggered,
  };
}

/** The training set with the poisoned rows in place, as new memory. @throws OptionError when the rows are not its own. */
export function poisonedSet(data: TrainingImages, rows: PoisonedRows): TrainingImages {
  const [n = 0, ...dims] = data.images.dims;
  const size = data.images.data.length / Math.max(n, 1);
  if (rows.images.data.length !== rows.indices.length * size || rows.indices.some((index) => index >= n)) {
    throw new OptionError(
      `poison: expected rows of a training set ${formatDims(data.images.dims)}, got ${formatDims(rows.images.dims)}.`,
    );
  }
  const bytes = data.images.data.slice();
  const labels = Int32Array.from({ length: n }, (_, i) => data.labels[i] ?? -1);
  rows.indices.forEach((index, row) => {
    bytes.set(rows.images.data.subarray(row * size, (row + 1) * size), index * size);
    labels[index] = rows.labels[row] ?? -1;
  });
  return { ...data, images: { dtype: "uint8", dims: [n, ...dims], data: bytes }, labels };
}
