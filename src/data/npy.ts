/** @file numpy's file format: one array, with its element type and shape in a header that is checked against the bytes. */
import { FormatError, ShapeError } from "../core/errors.ts";
import { stridedCopyInto } from "../tensor/kernels.ts";
import { elementCount, formatDims } from "../tensor/shape.ts";
import { arrayOf, type DType, type Tensor } from "../tensor/tensor.ts";
import { ByteReader } from "./byte-reader.ts";
import { swapBytesInto } from "./kernels.ts";
import { printable } from "./quote.ts";

/** `\x93NUMPY` */
const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
/** numpy's own limit; shapes are at most 64 numbers. */
const HEADER_LIMIT = 10_000;
/** The data begin at a multiple of this. */
const ALIGNMENT = 64;

/** numpy's name of each element type, without the byte order. */
const codeOf = {
  float64: "f8",
  float32: "f4",
  float16: "f2",
  int64: "i8",
  int32: "i4",
  int16: "i2",
  int8: "i1",
  uint64: "u8",
  uint32: "u4",
  uint16: "u2",
  uint8: "u1",
  bool: "b1",
} as const satisfies Record<Exclude<DType, "bfloat16">, string>;

const dtypeOfCode: ReadonlyMap<string, DType> = new Map(
  Object.entries(codeOf).map(([dtype, code]) => [code, dtype as DType]),
);

/** True for bytes that begin as npy files do. */
export function looksLikeNpy(bytes: Uint8Array): boolean {
  return MAGIC.every((byte, i) => bytes[i] === byte);
}

/**
 * Reads an npy file, versions 1 to 3, C or Fortran order, either byte order. The result is row-major; it shares the
 * file's memory where order and alignment allow.
 * @param name what to call the file in messages.
 * @throws FormatError when the header is not of the format, names a type that is no number (objects are pickles, which
 * are never loaded), or does not agree with the bytes that follow.
 * @source NEP 1 and numpy.lib.format.
 */
export function readNpy(bytes: Uint8Array, name = "npy file"): Tensor {
  const reader = new ByteReader(bytes, name);
  if (!looksLikeNpy(bytes)) throw new FormatError(`${name}: expected bytes that begin with \\x93NUMPY, got others.`);
  reader.take(MAGIC.length);
  const version = reader.u8();
  reader.u8();
  if (version < 1 || version > 3) throw new FormatError(`${name}: expected npy version 1 to 3, got ${version}.`);
  const length = version === 1 ? reader.u16() : reader.u32();
  if (length > HEADER_LIMIT) {
    throw new FormatError(`${name}: expected a header of at most ${HEADER_LIMIT} bytes, got ${length}.`);
  }
  const header = parseHeader(new TextDecoder().decode(reader.take(length)), name);
  return numpyTensor(header, bytes.subarray(reader.position), name);
}

/** How numpy lays out an array. */
export interface NumpyLayout {
  /** Element type without byte order: `u1`, `f4`. */
  readonly code: string;
  readonly bigEndian: boolean;
  readonly fortranOrder: boolean;
  readonly dims: readonly number[];
}

/**
 * The tensor of numpy's bytes: row-major, on the same memory where order and alignment allow.
 * @throws FormatError when the elements are no numbers or not as many as the dims say.
 */
export function numpyTensor(layout: NumpyLayout, data: Uint8Array, name: string): Tensor {
  const { code, bigEndian, fortranOrder, dims } = layout;
  const dtype = dtypeOfCode.get(code);
  if (dtype === undefined) {
    const why = code.startsWith("O") ? "; Python objects are never loaded" : "";
    throw new FormatError(
      `${name}: expected one of ${[...dtypeOfCode.keys()].join(", ")}, got ${printable(code)}${why}.`,
    );
  }
  const Values = arrayOf[dtype];
  const size = Values.BYTES_PER_ELEMENT;
  if (dims.some((dim) => dim < 0) || elementCount(dims) * size !== data.length) {
    throw new FormatError(
      `${name}: expected ${elementCount(dims) * size} bytes for ${dtype} ${formatDims(dims)}, got ${data.length}.`,
    );
  }
  const inOrder = !fortranOrder || dims.length < 2;
  if (inOrder && (!bigEndian || size === 1) && data.byteOffset % size === 0) {
    return { dtype, dims, data: new Values(data.buffer as ArrayBuffer, data.byteOffset, data.length / size) } as Tensor;
  }
  const copy = new Uint8Array(data.length);
  if (inOrder) copy.set(data);
  else stridedCopyInto(copy, data, { offset: 0, dims, strides: fortranStrides(dims), size });
  if (bigEndian) swapBytesInto(copy, size);
  return { dtype, dims, data: new Values(copy.buffer) } as Tensor;
}

/**
 * Writes an npy file: version 1, little-endian, C order.
 * @throws ShapeError when the data are not as many as the dims say; FormatError for bfloat16, which numpy lacks.
 */
export function writeNpy({ dtype, dims, data }: Tensor): Uint8Array {
  if (dtype === "bfloat16") throw new FormatError("npy: expected a type that numpy has, got bfloat16. Widen it first.");
  if (data.length !== elementCount(dims)) {
    throw new ShapeError(`npy: expected ${elementCount(dims)} values for ${formatDims(dims)}, got ${data.length}.`);
  }
  const order = data.BYTES_PER_ELEMENT === 1 ? "|" : "<";
  const shape = dims.length === 1 ? `(${dims[0]},)` : `(${dims.join(", ")})`;
  const text = `{'descr': '${order}${codeOf[dtype]}', 'fortran_order': False, 'shape': ${shape}, }`;
  const start = ALIGNMENT * Math.ceil((10 + text.length + 1) / ALIGNMENT);
  const out = new Uint8Array(start + data.byteLength).fill(0x20, 10, start);
  out.set([...MAGIC, 1, 0]);
  new DataView(out.buffer).setUint16(8, start - 10, true);
  out.set(new TextEncoder().encode(text), 10);
  out[start - 1] = 0x0a;
  out.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), start);
  return out;
}

/** The header is a Python dict literal with three keys. */
function parseHeader(text: string, name: string): NumpyLayout {
  const descr = /["']descr["']\s*:\s*["']([<>=|]?)(\w{1,16})["']/.exec(text);
  const order = /["']fortran_order["']\s*:\s*(True|False)/.exec(text);
  const shape = /["']shape["']\s*:\s*\(([\d\s,L]*)\)/.exec(text);
  if (descr === null || order === null || shape === null) {
    throw new FormatError(
      `${name}: expected a header with the descr of a number, fortran_order and shape, got ${printable(text.trim())}.`,
    );
  }
  const [, byteOrder = "", code = ""] = descr;
  const sizes = (shape[1] ?? "").split(",").map((part) => part.trim().replace(/L$/, ""));
  const dims = sizes.filter((part) => part !== "").map(Number);
  if (dims.length > 64 || !dims.every(Number.isSafeInteger)) {
    throw new FormatError(`${name}: expected a shape of integers, got (${printable(shape[1] ?? "")}).`);
  }
  return { code, bigEndian: byteOrder === ">", fortranOrder: order[1] === "True", dims };
}

function fortranStrides(dims: readonly number[]): number[] {
  let stride = 1;
  return dims.map((dim) => {
    const own = stride;
    stride *= dim;
    return own;
  });
}
