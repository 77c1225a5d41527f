/** @file What a pickle may hold: plain values, and inert records for the few torch objects that stand for tensors. */
import type { DType } from "../../tensor/tensor.ts";

/** Copied bytes that count as one object against the reader's budget. */
export const BYTES_PER_OBJECT = 128;

/** A name from an allow-list: a function, a class or a constant. Nothing behind it exists here. */
export interface PickleGlobal {
  readonly kind: "global";
  /** `module.name`, such as `torch._utils._rebuild_tensor_v2`. */
  readonly name: string;
}

/** Where a tensor's numbers are: a storage by its key. */
export interface StorageRecord {
  readonly kind: "storage";
  /** `undefined` for an untyped storage, whose `count` is in bytes. */
  readonly dtype: DType | undefined;
  readonly key: string;
  readonly count: number;
}

/** A strided view on a storage; offset and strides count elements. */
export interface TensorRecord {
  readonly kind: "tensor";
  readonly dtype: DType;
  readonly storage: StorageRecord;
  readonly offset: number;
  readonly dims: readonly number[];
  readonly strides: readonly number[];
}

/** numpy's name of an element type, such as `u1`; its BUILD tells the byte order. */
export interface DTypeRecord {
  readonly kind: "dtype";
  readonly code: string;
  bigEndian: boolean;
}

/** One of numpy's arrays: empty when it is made, filled by its BUILD. */
export interface ArrayRecord {
  readonly kind: "array";
  dims: readonly number[];
  dtype: DTypeRecord | undefined;
  fortranOrder: boolean;
  bytes: Uint8Array;
}

/** An object that may lie beside the weights (a device, an argparse namespace); only its name is kept. */
export interface InertRecord {
  readonly kind: "inert";
  readonly name: string;
}

/** A Python value as read; tuples, lists and sets are arrays, dicts are maps, int beyond 2^53 is a bigint. */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleValue[]
  | Map<PickleValue, PickleValue>
  | PickleGlobal
  | StorageRecord
  | TensorRecord
  | DTypeRecord
  | ArrayRecord
  | InertRecord;

/** True for the records above, false for plain values. */
export function isRecord(value: PickleValue | undefined): value is Extract<PickleValue, { kind: string }> {
  return typeof value === "object" && value !== null && "kind" in value;
}

/** What a value is, in words, for messages. */
export function describeValue(value: PickleValue | undefined): string {
  if (value === undefined) return "nothing";
  if (value === null) return "None";
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (value instanceof Map) return `a dict of ${value.size}`;
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (isRecord(value)) {
    if (value.kind === "array") return "an array";
    return value.kind === "global" || value.kind === "inert" ? value.name : `a ${value.kind}`;
  }
  return typeof value === "string" ? "a text" : `the ${typeof value} ${value}`;
}
