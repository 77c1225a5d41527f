/**
 * @file Our three splits of a data set, fixed for good: its test part as published, and its training part divided into
 * what models learn from and a tenth that choices are made on. The division is a function of labels and groups alone, so
 * that the same name means the same images everywhere.
 */
import type { ByteSource } from "../core/byte-source.ts";
import { sha256Hex } from "../core/hash.ts";
import { uniforms } from "../core/noise.ts";
import { takeRows } from "./choose-rows.ts";
import type { Dataset, ImageIndex, LabelledImages, ReadOptions } from "./dataset.ts";

/**
 * `train`: the training part without the validation images. `validation`: those. `test`: the test part.
 * `train+validation`: the training part as published, for those who compare with papers that trained on all of it.
 */
export type Split = "train" | "validation" | "test" | "train+validation";

/** The names of the splits. */
export const splits: readonly Split[] = ["train", "validation", "test", "train+validation"];

/** Share of the training part that is kept for validation. */
export const VALIDATION_SHARE = 0.1;

/**
 * The images that are kept out: of every class, groups in an order drawn from a fixed seed until the share is reached.
 * At least one group of a class stays; classes of a single group are never held out.
 * @param stream names the draw, so that two draws from the same images have nothing to do with each other.
 * @returns row numbers, ascending.
 */
export function heldOutRows({ labels, groups }: ImageIndex, share: number, stream: string): number[] {
  const byClass = new Map<number, Map<number, number[]>>();
  labels.forEach((label, row) => {
    const ofClass = byClass.get(label) ?? new Map<number, number[]>();
    byClass.set(label, ofClass);
    const group = groups?.[row] ?? row;
    const rows = ofClass.get(group);
    if (rows === undefined) ofClass.set(group, [row]);
    else rows.push(row);
  });
  const held: number[] = [];
  for (const [label, ofClass] of byClass) {
    const total = [...ofClass.values()].reduce((sum, rows) => sum + rows.length, 0);
    const draws = uniforms(0, `${stream}/${label}`, 0, ofClass.size);
    const order = [...ofClass.values()].map((rows, i) => ({ rows, draw: draws[i] ?? 0 }));
    order.sort((a, b) => a.draw - b.draw);
    const wanted = Math.round(share * total);
    let taken = 0;
    for (const { rows } of order.slice(0, -1)) {
      if (taken >= wanted) break;
      held.push(...rows);
      taken += rows.length;
    }
  }
  return held.sort((a, b) => a - b);
}

/** The rows of the training part that belong to the validation split, ascending. */
export function validationRows(index: ImageIndex): number[] {
  return heldOutRows(index, VALIDATION_SHARE, "validation");
}

/**
 * Reads one split into memory.
 * @throws whatever `dataset.read` throws.
 */
export function readSplit(
  dataset: Dataset,
  source: ByteSource,
  { split, ...options }: ReadOptions & { readonly split: Split },
): Promise<LabelledImages> {
  const part = split === "test" ? "test" : "train";
  if (split === "test" || split === "train+validation") return dataset.read(source, part, options);
  const { rows } = options;
  return dataset.read(source, part, {
    ...options,
    rows: (index) => {
      const own = split === "validation" ? validationRows(index) : otherRows(index, validationRows(index));
      if (rows === undefined) return own;
      const labels = Uint16Array.from(own, (row) => index.labels[row] ?? 0);
      const { groups } = index;
      const inside = rows({ labels, groups: groups && Int32Array.from(own, (row) => groups[row] ?? 0) });
      return Array.from(inside, (row) => own[row] ?? -1);
    },
  });
}

/** One split by its content. */
export interface SplitContent {
  readonly split: Split;
  readonly items: number;
  /** {@link contentHash}. */
  readonly sha256: string;
}

/**
 * Reads every image once, and says what each split holds.
 * @throws whatever `dataset.read` throws.
 */
export async function splitContents(
  dataset: Dataset,
  source: ByteSource,
  options: Omit<ReadOptions, "rows"> = {},
): Promise<SplitContent[]> {
  let held: readonly number[] = [];
  const whole = await dataset.read(source, "train", {
    ...options,
    rows: (index) => {
      held = validationRows(index);
      return Array.from(index.labels.keys());
    },
  });
  const { images, labels } = whole;
  const rowsOf = (rows: readonly number[]): LabelledImages => takeRows(images, { labels }, { rows: () => rows });
  const contents: readonly (readonly [Split, () => LabelledImages | Promise<LabelledImages>])[] = [
    ["train", () => rowsOf(otherRows({ labels }, held))],
    ["validation", () => rowsOf(held)],
    ["test", () => dataset.read(source, "test", options)],
    ["train+validation", () => whole],
  ];
  const result: SplitContent[] = [];
  for (const [split, read] of contents) {
    const own = await read();
    result.push({ split, items: own.labels.length, sha256: contentHash(own) });
  }
  return result;
}

/**
 * SHA-256 that names images and labels by their content: N, C, H, W as uint32, the pixels, the labels as uint16, all
 * little-endian.
 */
export function contentHash({ images, labels }: LabelledImages): string {
  const header = new DataView(new ArrayBuffer(4 * images.dims.length));
  images.dims.forEach((dim, i) => {
    header.setUint32(4 * i, dim, true);
  });
  const ids = new DataView(new ArrayBuffer(2 * labels.length));
  labels.forEach((label, i) => {
    ids.setUint16(2 * i, label, true);
  });
  return sha256Hex(new Uint8Array(header.buffer), images.data, new Uint8Array(ids.buffer));
}

function otherRows({ labels }: ImageIndex, held: readonly number[]): number[] {
  const isHeld = new Set(held);
  return Array.from(labels.keys()).filter((row) => !isHeld.has(row));
}
