/**
 * @file The allow-list of the pickle reader: every name that a checkpoint may ask for, and the record that it stands
 * for. Whatever is not here is refused by name. No Python code is known, looked up or run.
 */

import { FormatError } from "../../core/errors.ts";
import { numpyTensor } from "../../data/npy.ts";
import { printable } from "../../data/quote.ts";
import type { DType } from "../../tensor/tensor.ts";
import { latinInto } from "./kernels.ts";
import {
  BYTES_PER_OBJECT,
  describeValue,
  isRecord,
  type PickleGlobal,
  type PickleValue,
  type StorageRecord,
  type TensorRecord,
} from "./pickle-values.ts";

/** Element type of each storage class; `undefined` is the untyped one. */
const storageTypes: ReadonlyMap<string, DType | undefined> = new Map([
  ["DoubleStorage", "float64"],
  ["FloatStorage", "float32"],
  ["HalfStorage", "float16"],
  ["BFloat16Storage", "bfloat16"],
  ["LongStorage", "int64"],
  ["IntStorage", "int32"],
  ["ShortStorage", "int16"],
  ["CharStorage", "int8"],
  ["ByteStorage", "uint8"],
  ["BoolStorage", "bool"],
  ["UntypedStorage", undefined],
]);

/** torch's own names of element types, as constants in a pickle. */
const dtypes: ReadonlyMap<string, DType> = new Map(
  (
    [
      ["float64", "double"],
      ["float32", "float"],
      ["float16", "half"],
      ["bfloat16"],
      ["int64", "long"],
      ["int32", "int"],
      ["int16", "short"],
      ["int8"],
      ["uint8"],
      ["uint16"],
      ["uint32"],
      ["uint64"],
      ["bool"],
    ] as const
  ).flatMap(([dtype, ...others]) => [dtype, ...others].map((name) => [`torch.${name}`, dtype] as const)),
);

/** Objects that training scripts put beside the weights. They are named and forgotten. */
const inert: ReadonlySet<string> = new Set([
  "argparse.Namespace",
  ...["dict", "list", "int", "float"].flatMap((name) => [`builtins.${name}`, `__builtin__.${name}`]),
  "numpy.ndarray",
  "torch.device",
]);

/** What a constructor may know of the reader it works for. */
export interface PickleContext {
  /** What to call the file in messages. */
  readonly subject: string;
  /** Counts what is about to be allocated. @throws FormatError when it is too much altogether. */
  charge(objects: number): void;
}

type Constructor = (args: readonly PickleValue[], context: PickleContext) => PickleValue;

const constructors: ReadonlyMap<string, Constructor> = new Map<string, Constructor>([
  ["collections.OrderedDict", ([pairs], context) => dictOf(pairs, context)],
  ["collections.defaultdict", ([, pairs], context) => dictOf(pairs, context)],
  ["builtins.set", ([items]) => (Array.isArray(items) ? items : [])],
  ["__builtin__.set", ([items]) => (Array.isArray(items) ? items : [])],
  ["torch.Size", ([dims]) => (Array.isArray(dims) ? dims : [])],
  ["torch._utils._rebuild_tensor", rebuildTensor],
  ["torch._utils._rebuild_tensor_v2", rebuildTensor],
  ["torch._utils._rebuild_tensor_v3", rebuildTensor],
  ["torch._utils._rebuild_parameter", rebuildParameter],
  ["torch._utils._rebuild_parameter_with_state", rebuildParameter],
  ["_codecs.encode", encoded],
  ["numpy.dtype", ([code]) => ({ kind: "dtype", code: typeof code === "string" ? code : "", bigEndian: false })],
  ["numpy.core.multiarray._reconstruct", emptyArray],
  ["numpy._core.multiarray._reconstruct", emptyArray],
  ["numpy.core.multiarray.scalar", numpyScalar],
  ["numpy._core.multiarray.scalar", numpyScalar],
]);

/** The `cause` of a refusal: which name a pickle asked for. */
class AsksFor extends Error {
  readonly global: string;

  constructor(global: string) {
    super(global);
    this.global = global;
  }
}

/** The name that a pickle asked for and that is on no list, from the error that says so; else `undefined`. */
export function refusedGlobal(error: unknown): string | undefined {
  return error instanceof FormatError && error.cause instanceof AsksFor ? error.cause.global : undefined;
}

/**
 * The record of a name that a pickle asks for.
 * @throws FormatError naming it when it is not on the list.
 */
export function allowedGlobal(module: string, name: string, subject: string): PickleGlobal {
  const full = `${module}.${name}`;
  if (constructors.has(full) || inert.has(full) || dtypes.has(full) || isStorageClass(full))
    return { kind: "global", name: full };
  throw new FormatError(
    `${subject}: the pickle asks for ${printable(full)}, which is never run; expected only tensors, numbers, texts ` +
      "and containers. Save the weights alone: torch.save(model.state_dict(), …).",
    { cause: new AsksFor(full) },
  );
}

/** Calls nothing: makes the record that an allowed constructor stands for. @throws FormatError for odd arguments. */
export function construct(callee: PickleValue, args: PickleValue, context: PickleContext): PickleValue {
  const { subject } = context;
  if (!isRecord(callee) || callee.kind !== "global" || !Array.isArray(args)) {
    throw new FormatError(
      `${subject}: expected an allowed name and its arguments, got ${describeValue(callee)} and ${describeValue(args)}.`,
    );
  }
  const make = constructors.get(callee.name);
  if (make !== undefined) return make(args, context);
  if (inert.has(callee.name)) return { kind: "inert", name: callee.name };
  throw new FormatError(`${subject}: the pickle calls ${callee.name}, which is never run; it is no constructor.`);
}

/**
 * The storage that a persistent id stands for: ("storage", class, key, location, count[, view]).
 * @throws FormatError when it is something else, as files of whole modules have.
 */
export function persistentStorage(id: PickleValue, subject: string): StorageRecord {
  const [tag, type, key, , count, view] = Array.isArray(id) ? id : [];
  const typed = isRecord(type) && type.kind === "global" && isStorageClass(type.name);
  if (tag !== "storage" || !typed || typeof key !== "string" || !isSize(count) || (view ?? null) !== null) {
    throw new FormatError(`${subject}: expected a persistent id of a tensor's storage, got ${describeId(tag)}.`);
  }
  return { kind: "storage", dtype: storageTypes.get(type.name.slice(type.name.lastIndexOf(".") + 1)), key, count };
}

/** (storage, offset, size, stride, requires_grad, hooks[, dtype | metadata]) */
function rebuildTensor(args: readonly PickleValue[], { subject }: PickleContext): TensorRecord {
  const [storage, offset, dims, strides, , , element] = args;
  const named = isRecord(element) && element.kind === "global" ? dtypes.get(element.name) : undefined;
  const dtype = named ?? (isRecord(storage) && storage.kind === "storage" ? storage.dtype : undefined);
  if (
    !isRecord(storage) ||
    storage.kind !== "storage" ||
    dtype === undefined ||
    !isSize(offset) ||
    !isSizes(dims) ||
    !isSizes(strides) ||
    dims.length !== strides.length
  ) {
    throw new FormatError(`${subject}: expected a tensor as (storage, offset, size, stride, …), got other values.`);
  }
  return { kind: "tensor", dtype, storage, offset, dims, strides };
}

function rebuildParameter([tensor]: readonly PickleValue[], { subject }: PickleContext): PickleValue {
  if (isRecord(tensor) && tensor.kind === "tensor") return tensor;
  throw new FormatError(`${subject}: expected a parameter made of a tensor, got ${describeValue(tensor)}.`);
}

/** Python 3 writes bytes for Python 2 as text of code points below 256; other encodings are named and forgotten. */
function encoded([text, encoding]: readonly PickleValue[], { charge }: PickleContext): PickleValue {
  const isLatin = typeof encoding === "string" && /^latin[-_]?1$/i.test(encoding);
  if (typeof text !== "string" || !isLatin) return { kind: "inert", name: "_codecs.encode" };
  // One text may be asked for again and again.
  charge(text.length / BYTES_PER_OBJECT);
  const bytes = new Uint8Array(text.length);
  latinInto(bytes, text);
  return bytes;
}

/** numpy's single numbers become numbers; those of other types are named and forgotten. */
function numpyScalar([dtype, data]: readonly PickleValue[], { subject }: PickleContext): PickleValue {
  const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
  const isNumber = isRecord(dtype) && dtype.kind === "dtype" && /^[biuf]\d$/.test(dtype.code);
  if (!isNumber || !(bytes instanceof Uint8Array)) return { kind: "inert", name: "numpy scalar" };
  const { code, bigEndian } = dtype;
  const [number = null] = numpyTensor({ code, bigEndian, fortranOrder: false, dims: [] }, bytes, subject).data;
  return typeof number === "bigint" && BigInt.asIntN(53, number) === number ? Number(number) : number;
}

function emptyArray(): PickleValue {
  return { kind: "array", dims: [0], dtype: undefined, fortranOrder: false, bytes: new Uint8Array(0) };
}

function dictOf(pairs: PickleValue | undefined, { charge }: PickleContext): Map<PickleValue, PickleValue> {
  const dict = new Map<PickleValue, PickleValue>();
  if (!Array.isArray(pairs)) return dict;
  charge(pairs.length);
  for (const pair of pairs) if (Array.isArray(pair)) dict.set(pair[0] ?? null, pair[1] ?? null);
  return dict;
}

function isStorageClass(full: string): boolean {
  const match = /^torch(?:\.cuda|\.storage)?\.(\w+)$/.exec(full);
  return match?.[1] !== undefined && storageTypes.has(match[1]);
}

function isSize(value: PickleValue | undefined): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isSizes(value: PickleValue | undefined): value is number[] {
  return Array.isArray(value) && value.length <= 64 && value.every(isSize);
}

function describeId(tag: PickleValue | undefined): string {
  return typeof tag === "string" && tag !== "storage" ? `one of "${printable(tag)}"` : "other values";
}
