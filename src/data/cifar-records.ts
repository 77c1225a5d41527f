/** @file CIFAR's two formats: fixed records of label and pixels, and the pickled dicts that Python programs read. */
import { FormatError } from "../core/errors.ts";
import { formatDims } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { checkLabels } from "./check-labels.ts";
import type { PickleReader } from "./decoders.ts";

/** 3 planes of 32 x 32 pixels: red, green, blue. */
export const CIFAR_PIXELS = 3 * 32 * 32;

/** What a batch of images must hold. */
export interface CifarBatch {
  readonly count: number;
  readonly classes: number;
  /** The coarse label comes first and is passed over; CIFAR-100 alone has one. */
  readonly hasCoarseLabel: boolean;
}

/** Where the images of a batch go: `count` images, labels likewise, from row `start` on. */
export interface CifarTarget {
  readonly pixels: Uint8Array;
  readonly labels: Uint16Array;
  readonly start: number;
}

/**
 * Reads a batch of the binary version: records of one label (CIFAR-100: coarse, then fine) and 3072 pixels.
 * @param name what to call the file in messages.
 * @throws FormatError when the file holds more or fewer records, or a label that is no class.
 * @source A. Krizhevsky, "The CIFAR-10 dataset", section "Binary version".
 */
export function readCifarBinary(bytes: Uint8Array, name: string, batch: CifarBatch, target: CifarTarget): void {
  const head = batch.hasCoarseLabel ? 2 : 1;
  const record = head + CIFAR_PIXELS;
  if (bytes.length !== batch.count * record) {
    throw new FormatError(
      `${name}: expected ${batch.count} records of ${record} bytes, ${batch.count * record} in all, got ${bytes.length}.`,
    );
  }
  const { pixels, labels, start } = target;
  for (let i = 0; i < batch.count; i++) {
    const at = i * record;
    labels[start + i] = bytes[at + head - 1] ?? 0;
    pixels.set(bytes.subarray(at + head, at + record), (start + i) * CIFAR_PIXELS);
  }
  checkLabels(name, labels.subarray(start, start + batch.count), batch.classes);
}

/**
 * Reads a batch of the Python version: a pickled dict with `data`, uint8 [count, 3072], and `labels` (CIFAR-100:
 * `fine_labels`), a list.
 * @throws FormatError when the pickle holds something else; so does `read` when it asks to run something.
 * @source A. Krizhevsky, "The CIFAR-10 dataset", section "Python / Matlab versions".
 */
export function readCifarPickle(
  { bytes, name, read }: { readonly bytes: Uint8Array; readonly name: string; readonly read: PickleReader },
  batch: CifarBatch,
  target: CifarTarget,
): void {
  const value = read(bytes, name);
  const dict: ReadonlyMap<unknown, unknown> = value instanceof Map ? value : new Map();
  const key = batch.hasCoarseLabel ? "fine_labels" : "labels";
  const [data, list] = [dict.get("data"), dict.get(key)];
  if (!isTensor(data) || data.dtype !== "uint8" || formatDims(data.dims) !== formatDims([batch.count, CIFAR_PIXELS])) {
    const got = isTensor(data) ? `${data.dtype} ${formatDims(data.dims)}` : "something else";
    throw new FormatError(`${name}: expected data of uint8 ${formatDims([batch.count, CIFAR_PIXELS])}, got ${got}.`);
  }
  if (!Array.isArray(list) || list.length !== batch.count) {
    const got = Array.isArray(list) ? `${list.length}` : "something else";
    throw new FormatError(`${name}: expected a list of ${batch.count} ${key}, got ${got}.`);
  }
  checkLabels(name, list.map(Number), batch.classes);
  target.labels.set(list.map(Number), target.start);
  target.pixels.set(data.data, target.start * CIFAR_PIXELS);
}

function isTensor(value: unknown): value is Tensor {
  return typeof value === "object" && value !== null && "dtype" in value && "dims" in value && "data" in value;
}
