/**
 * @file Writes what `torch.load` reads: a zip with one pickle and the bytes of its tensors. Only data: None, booleans,
 * numbers, texts, lists, tuples, dicts, tensors and numpy's arrays.
 * @source CPython, Lib/pickletools.py; PyTorch, torch/serialization.py.
 */
import { zipSync } from "fflate";
import { FormatError } from "../core/errors.ts";
import { elementCount } from "../tensor/shape.ts";
import type { DType, Tensor } from "../tensor/tensor.ts";

/** A Python tuple. */
export interface TupleToWrite {
  readonly tuple: readonly Writable[];
}

/** A tensor as one of numpy's arrays. */
export interface ArrayToWrite {
  readonly array: Tensor;
}

/** A value that can be written. Numbers that are integers become int, others float. */
export type Writable =
  | null
  | boolean
  | number
  | string
  | readonly Writable[]
  | ReadonlyMap<string | number, Writable>
  | TupleToWrite
  | ArrayToWrite
  | Tensor;

/** torch's storage class of each element type. */
const storageOf: Partial<Record<DType, string>> = {
  float64: "DoubleStorage",
  float32: "FloatStorage",
  float16: "HalfStorage",
  bfloat16: "BFloat16Storage",
  int64: "LongStorage",
  int32: "IntStorage",
  int16: "ShortStorage",
  int8: "CharStorage",
  uint8: "ByteStorage",
  bool: "BoolStorage",
};

/** numpy's code of each element type that it is written with. */
const codeOf: Partial<Record<DType, string>> = { float64: "f8", float32: "f4", int64: "i8", int32: "i4", uint8: "u1" };

const encoder = new TextEncoder();

interface PickleOut {
  readonly pieces: Uint8Array[];
  readonly storages: Uint8Array[];
}

/**
 * A file of torch.save that holds a value. Equal values give equal bytes. `weights_only=True` reads it when no array of
 * numpy is in it.
 * @param root name of the folder inside the zip; torch uses the file's name.
 * @throws FormatError for a tensor of a type that torch or numpy does not have.
 */
export function writeTorchFile(value: Writable, root = "archive"): Uint8Array {
  const out: PickleOut = { pieces: [], storages: [] };
  put(out, "\x80\x02");
  write(out, value);
  put(out, ".");
  const files: Record<string, Uint8Array> = {
    [`${root}/data.pkl`]: joined(out.pieces),
    [`${root}/byteorder`]: encoder.encode("little"),
  };
  out.storages.forEach((bytes, key) => {
    files[`${root}/data/${key}`] = bytes;
  });
  files[`${root}/version`] = encoder.encode("3\n");
  return zipSync(files, { level: 0, mtime: new Date(1980, 0, 1) });
}

function write(out: PickleOut, value: Writable): void {
  if (value === null) put(out, "N");
  else if (typeof value === "boolean") put(out, value ? "\x88" : "\x89");
  else if (typeof value === "number") writeNumber(out, value);
  else if (typeof value === "string") writeText(out, value);
  else if (value instanceof Map) writeDict(out, value);
  else if (Array.isArray(value)) writeList(out, value);
  else if ("tuple" in (value as object)) writeTuple(out, (value as TupleToWrite).tuple);
  else if ("array" in (value as object)) writeArray(out, (value as ArrayToWrite).array);
  else writeTensor(out, value as Tensor);
}

function writeNumber(out: PickleOut, value: number): void {
  if (Number.isInteger(value) && Math.abs(value) < 2 ** 31) {
    put(out, "J");
    out.pieces.push(new Uint8Array(Int32Array.of(value).buffer));
  } else if (Number.isSafeInteger(value)) {
    put(out, "\x8a\x08");
    out.pieces.push(new Uint8Array(BigInt64Array.of(BigInt(value)).buffer));
  } else {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setFloat64(0, value);
    put(out, "G");
    out.pieces.push(bytes);
  }
}

function writeText(out: PickleOut, text: string): void {
  const bytes = encoder.encode(text);
  put(out, "X");
  out.pieces.push(new Uint8Array(Uint32Array.of(bytes.length).buffer), bytes);
}

function writeDict(out: PickleOut, dict: ReadonlyMap<string | number, Writable>): void {
  put(out, "}(");
  for (const [key, value] of dict) {
    write(out, key);
    write(out, value);
  }
  put(out, "u");
}

function writeList(out: PickleOut, list: readonly Writable[]): void {
  put(out, "](");
  for (const value of list) write(out, value);
  put(out, "e");
}

function writeTuple(out: PickleOut, items: readonly Writable[]): void {
  put(out, "(");
  for (const value of items) write(out, value);
  put(out, "t");
}

/** `_rebuild_tensor_v2(storage, 0, size, stride, False, OrderedDict())` */
function writeTensor(out: PickleOut, tensor: Tensor): void {
  const storage = storageOf[tensor.dtype];
  if (storage === undefined) throw new FormatError(`tensor: expected a type that torch has, got ${tensor.dtype}.`);
  const { dims, data } = tensor;
  const key = String(out.storages.length);
  out.storages.push(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  put(out, `ctorch._utils\n_rebuild_tensor_v2\n((`);
  writeText(out, "storage");
  put(out, `ctorch\n${storage}\n`);
  writeText(out, key);
  writeText(out, "cpu");
  writeNumber(out, data.length);
  put(out, "tQ");
  writeNumber(out, 0);
  writeTuple(out, dims);
  writeTuple(
    out,
    dims.map((_, axis) => elementCount(dims.slice(axis + 1))),
  );
  put(out, "\x89ccollections\nOrderedDict\n)RtR");
}

/** `_reconstruct(ndarray, (0,), b"b")` with the state (1, dims, dtype, False, bytes); the name is that of numpy 1 and 2. */
function writeArray(out: PickleOut, { dtype, dims, data }: Tensor): void {
  const code = codeOf[dtype];
  if (code === undefined)
    throw new FormatError(`array: expected float64, float32, int64, int32 or uint8, got ${dtype}.`);
  put(out, "cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(");
  writeNumber(out, 0);
  put(out, "t");
  writeBytes(out, encoder.encode("b"));
  put(out, "tR(");
  writeNumber(out, 1);
  writeTuple(out, dims);
  put(out, "cnumpy\ndtype\n(");
  writeText(out, code);
  put(out, "\x89\x88tR");
  writeTuple(out, [3, code === "u1" ? "|" : "<", null, null, null, -1, -1, 0]);
  put(out, "b\x89");
  writeBytes(out, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  put(out, "tb");
}

/** Bytes as protocol 2 has them: text of code points below 256, encoded. */
function writeBytes(out: PickleOut, bytes: Uint8Array): void {
  put(out, "c_codecs\nencode\n(");
  writeText(out, Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  writeText(out, "latin1");
  put(out, "tR");
}

/** Opcodes and ASCII lines. */
function put(out: PickleOut, codes: string): void {
  out.pieces.push(Uint8Array.from(codes, (letter) => letter.charCodeAt(0)));
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
