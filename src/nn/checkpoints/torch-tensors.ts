/** @file Tensor records and the bytes of their storages become tensors; strided views become row-major. */

import { FormatError } from "../../core/errors.ts";
import { quote } from "../../data/quote.ts";
import { stridedCopyInto } from "../../tensor/kernels.ts";
import { elementCount, formatDims } from "../../tensor/shape.ts";
import { arrayOf, type Tensor } from "../../tensor/tensor.ts";
import type { StorageRecord, TensorRecord } from "./pickle-values.ts";

/** Where the bytes of a file's storages are. */
export interface StorageSource {
  /** What to call the file in messages. */
  readonly subject: string;
  /** Size of the whole file in bytes: what copies are measured against. */
  readonly fileSize: number;
  /** The bytes of a storage. @throws FormatError when the file lacks it or it has another size. */
  bytesOf(storage: StorageRecord): Uint8Array;
}

/** Views with stride 0 can describe more numbers than a file has bytes; copies may add up to this many files. */
const COPY_FACTOR = 4;
const COPY_FLOOR = 1 << 20;

/**
 * Makes tensors of records, in their order. Row-major, aligned views share the file's memory; others are copied.
 * @throws FormatError when a view leaves its storage, or when all copies together are out of proportion to the file.
 */
export function materialise(
  records: ReadonlyMap<string, TensorRecord>,
  source: StorageSource,
): ReadonlyMap<string, Tensor> {
  let budget = COPY_FACTOR * source.fileSize + COPY_FLOOR;
  const tensors = new Map<string, Tensor>();
  for (const [name, record] of records) {
    const subject = `${source.subject}: tensor ${quote(name)}`;
    const bytes = source.bytesOf(record.storage);
    const { dtype, dims } = record;
    const Values = arrayOf[dtype];
    const size = Values.BYTES_PER_ELEMENT;
    const count = elementCount(dims);
    checkInside(record, bytes.length / size, subject);
    const start = record.offset * size;
    const view = bytes.subarray(start, start + count * size);
    if (isRowMajor(record) && view.byteOffset % size === 0) {
      tensors.set(name, {
        dtype,
        dims,
        data: new Values(view.buffer as ArrayBuffer, view.byteOffset, count),
      } as Tensor);
      continue;
    }
    budget -= count * size;
    if (!(budget >= 0)) {
      throw new FormatError(
        `${subject}: expected tensors in proportion to a file of ${source.fileSize} bytes, got ` +
          `${formatDims(dims)} spread over a smaller storage.`,
      );
    }
    const copy = new Uint8Array(count * size);
    if (isRowMajor(record)) copy.set(view);
    else stridedCopyInto(copy, bytes, { ...record, size });
    tensors.set(name, { dtype, dims, data: new Values(copy.buffer) } as Tensor);
  }
  return tensors;
}

function checkInside({ offset, dims, strides }: TensorRecord, available: number, subject: string): void {
  if (dims.includes(0)) return;
  const last = dims.reduce((sum, dim, axis) => sum + (dim - 1) * (strides[axis] ?? 0), offset);
  if (last < available) return;
  throw new FormatError(
    `${subject}: expected ${formatDims(dims)} with strides ${formatDims(strides)} from ${offset} within a storage of ` +
      `${Math.floor(available)}, got an element at ${last}.`,
  );
}

function isRowMajor({ dims, strides }: TensorRecord): boolean {
  let expected = 1;
  for (let axis = dims.length - 1; axis >= 0; axis--) {
    const dim = dims[axis] ?? 1;
    if (dim !== 1 && strides[axis] !== expected) return dims.includes(0);
    expected *= dim;
  }
  return true;
}
