/** @file numpy's arrays inside pickles: how their BUILD fills them, and what tensor they are. */
import { FormatError } from "../../core/errors.ts";
import { numpyTensor } from "../../data/npy.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { PickleContext } from "./pickle-globals.ts";
import {
  type ArrayRecord,
  BYTES_PER_OBJECT,
  type DTypeRecord,
  describeValue,
  isRecord,
  type PickleValue,
} from "./pickle-values.ts";

/** numpy's own limit. */
const MOST_DIMS = 64;

/** The state of a dtype: (version, byte order, ...). */
export function setByteOrder(target: DTypeRecord, state: PickleValue): void {
  target.bigEndian = Array.isArray(state) && state[1] === ">";
}

/** The state of an array: (version, dims, dtype, is Fortran order, bytes). @throws FormatError when it is another. */
export function fillArray(target: ArrayRecord, state: PickleValue, { subject, charge }: PickleContext): void {
  const [, dims, dtype, fortranOrder, data] = Array.isArray(state) ? state : [];
  if (typeof data === "string") charge(data.length / BYTES_PER_OBJECT);
  // Python 2's bytes came as text where they are UTF-8.
  const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
  const isShape = Array.isArray(dims) && dims.length <= MOST_DIMS && dims.every((dim) => Number.isSafeInteger(dim));
  if (!isShape || !isRecord(dtype) || dtype.kind !== "dtype" || !(bytes instanceof Uint8Array)) {
    throw new FormatError(
      `${subject}: expected an array as (version, dims, dtype, order, bytes), got ${describeValue(state)}.`,
    );
  }
  target.dims = dims.map(Number);
  target.dtype = dtype;
  target.fortranOrder = fortranOrder === true;
  target.bytes = bytes;
}

/**
 * The tensor that an array is.
 * @throws FormatError when its elements are no numbers (objects are never loaded) or not as many as its dims say.
 */
export function tensorOfArray({ dims, dtype, fortranOrder, bytes }: ArrayRecord, subject: string): Tensor {
  const { code = "nothing", bigEndian = false } = dtype ?? {};
  return numpyTensor({ code, bigEndian, fortranOrder, dims }, bytes, subject);
}
