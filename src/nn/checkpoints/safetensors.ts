/** @file safetensors: bytes to tensors and back. The header is a claim; it is checked against the bytes first. */

import { FormatError, messageOf } from "../../core/errors.ts";
import { outlineOf } from "../../data/json-outline.ts";
import { quote } from "../../data/quote.ts";
import { elementCount } from "../../tensor/shape.ts";
import { arrayOf, type DType, type Tensor } from "../../tensor/tensor.ts";

/** What a safetensors file holds. */
export interface SafetensorsFile {
  /** Tensors by name, in the order of the header; views on the file's bytes where alignment allows. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** Free text of the header's `__metadata__`. */
  readonly metadata: ReadonlyMap<string, string>;
}

/** The format's own cap on its header. */
const HEADER_LIMIT = 100_000_000;
/** The header, a tensor's entry, its shape. */
const HEADER_DEPTH = 3;

/** The format's name of each element type. */
export const codeOf = {
  float64: "F64",
  float32: "F32",
  float16: "F16",
  bfloat16: "BF16",
  int64: "I64",
  int32: "I32",
  int16: "I16",
  int8: "I8",
  uint64: "U64",
  uint32: "U32",
  uint16: "U16",
  uint8: "U8",
  bool: "BOOL",
} as const satisfies Record<DType, string>;

const dtypeOfCode: ReadonlyMap<unknown, DType> = new Map(
  Object.entries(codeOf).map(([dtype, code]) => [code, dtype as DType]),
);

interface Entry {
  readonly name: string;
  readonly dtype: DType;
  readonly dims: readonly number[];
  readonly from: number;
  readonly to: number;
}

/**
 * Reads a safetensors file. The tensors tile the data without gaps or overlaps, so memory is bounded by the file.
 * @param name what to call the file in messages.
 * @throws FormatError when the header is too long, is not JSON of the format, or disagrees with the bytes.
 * @source https://github.com/huggingface/safetensors, "Format".
 */
export function readSafetensors(bytes: Uint8Array, name = "safetensors file"): SafetensorsFile {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 8) throw fail(name, `at least 8 bytes, got ${bytes.length}`);
  const claimed = view.getBigUint64(0, true);
  const room = Math.min(HEADER_LIMIT, bytes.length - 8);
  if (claimed > BigInt(room)) throw fail(name, `a header of at most ${room} bytes, got a length of ${claimed}`);
  const start = 8 + Number(claimed);
  const { entries, metadata } = parseHeader(bytes.subarray(8, start), name);
  checkTiling(entries, bytes.length - start, name);
  const tensors = new Map(entries.map((entry) => [entry.name, tensorAt(entry, bytes, start)]));
  return { tensors, metadata };
}

function parseHeader(bytes: Uint8Array, file: string): { entries: Entry[]; metadata: Map<string, string> } {
  const header = parseJson(bytes, file);
  if (!isObject(header)) throw fail(file, "a JSON object as header, got another value");
  const metadata = new Map<string, string>();
  const entries: Entry[] = [];
  for (const [name, value] of Object.entries(header)) {
    if (name !== "__metadata__") {
      entries.push(parseEntry(name, value, file));
      continue;
    }
    if (!isObject(value)) throw fail(file, "__metadata__ to be an object of strings, got another value");
    for (const [key, text] of Object.entries(value)) {
      if (typeof text !== "string") throw fail(file, `__metadata__ ${quote(key)} to be a string, got ${typeof text}`);
      metadata.set(key, text);
    }
  }
  return { entries, metadata };
}

/** Looks before it parses: nesting without end would take long, and a name twice would vanish. */
function parseJson(bytes: Uint8Array, file: string): unknown {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    const { depth, repeatedKey } = outlineOf(text);
    if (depth > HEADER_DEPTH) throw fail(file, `a header of at most ${HEADER_DEPTH} levels, got ${depth}`);
    if (repeatedKey !== undefined) throw fail(file, `every tensor once, got ${quote(repeatedKey)} twice`);
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof FormatError) throw error;
    throw new FormatError(`${file}: expected a JSON header, got ${bytes.length} other bytes; ${messageOf(error)}.`, {
      cause: error,
    });
  }
}

function parseEntry(name: string, value: unknown, file: string): Entry {
  const subject = `${file}: tensor ${quote(name)}`;
  if (!isObject(value)) throw fail(subject, "{ dtype, shape, data_offsets }, got another value");
  const { dtype: code, shape, data_offsets: offsets } = value;
  const dtype = dtypeOfCode.get(code);
  if (dtype === undefined) {
    const got = JSON.stringify(code)?.slice(0, 100);
    throw fail(subject, `one of the dtypes ${[...dtypeOfCode.keys()].join(", ")}, got ${got}`);
  }
  if (!isSizes(shape)) throw fail(subject, "a shape of non-negative integers, got another value");
  if (!isSizes(offsets) || offsets.length !== 2) throw fail(subject, "two data_offsets, got another value");
  const [from = 0, to = 0] = offsets;
  const size = elementCount(shape) * arrayOf[dtype].BYTES_PER_ELEMENT;
  if (size !== to - from) {
    throw fail(subject, `${size} bytes for ${code} [${shape.join(", ")}], got offsets ${from} to ${to}`);
  }
  return { name, dtype, dims: shape, from, to };
}

/** Every byte of the data belongs to exactly one tensor. */
function checkTiling(entries: readonly Entry[], size: number, file: string): void {
  let end = 0;
  for (const { name, from, to } of [...entries].sort((a, b) => a.from - b.from || a.to - b.to)) {
    if (to > size)
      throw fail(`${file}: tensor ${quote(name)}`, `data within ${size} bytes, got offsets ${from} to ${to}`);
    if (from !== end) {
      const what = from < end ? "an overlap" : "a hole";
      throw fail(`${file}: tensor ${quote(name)}`, `data from offset ${end}, got ${from}, which is ${what}`);
    }
    end = to;
  }
  if (end !== size) throw fail(file, `${end} bytes of data as its header says, got ${size}`);
}

function tensorAt({ dtype, dims, from, to }: Entry, bytes: Uint8Array, start: number): Tensor {
  const Values = arrayOf[dtype];
  const offset = bytes.byteOffset + start + from;
  const count = (to - from) / Values.BYTES_PER_ELEMENT;
  const aligned = offset % Values.BYTES_PER_ELEMENT === 0;
  // Not `slice`: a Node Buffer's shares memory, and its `buffer` is the whole pool.
  const source = aligned ? bytes : new Uint8Array(bytes.subarray(start + from, start + to));
  // Shared memory serves as well; the constructors' common signature only names the other kind.
  const data = new Values(source.buffer as ArrayBuffer, aligned ? offset : 0, count);
  return { dtype, dims, data } as Tensor;
}

function fail(subject: string, expectation: string): FormatError {
  return new FormatError(`${subject}: expected ${expectation}.`);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Integers that can be multiplied without losing digits: their product is compared with offsets within the file. */
function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}
