/** @file The format of MNIST: a magic number, big-endian dims, data; often gzipped. */
import { FormatError } from "../core/errors.ts";
import { elementCount, formatDims } from "../tensor/shape.ts";
import { arrayOf, type DType, type Tensor } from "../tensor/tensor.ts";
import { ByteReader } from "./byte-reader.ts";
import { gzipBody, looksLikeGzip } from "./gzip.ts";
import { inflateExactly, inflateHead } from "./inflate.ts";
import { swapBytesInto } from "./kernels.ts";

const MAX_RANK = 4;
/** Magic number and four dims. */
const LONGEST_HEADER = 4 + 4 * MAX_RANK;

const dtypeOfCode: ReadonlyMap<number, DType> = new Map([
  [0x08, "uint8"],
  [0x09, "int8"],
  [0x0b, "int16"],
  [0x0c, "int32"],
  [0x0d, "float32"],
  [0x0e, "float64"],
]);

interface Header {
  readonly dtype: DType;
  readonly dims: readonly number[];
  /** Where the data begin. */
  readonly start: number;
  /** Size of the whole file. */
  readonly size: number;
}

/**
 * Reads an IDX file of 1 to 4 dims, plain or gzipped. A gzipped one is expanded to the size that its header states,
 * and no further.
 * @param name what to call the file in messages.
 * @throws FormatError when it is not IDX, or holds more or fewer bytes than its dims say.
 * @source Y. LeCun, "The MNIST database", section "File formats".
 */
export function readIdx(bytes: Uint8Array, name = "IDX file"): Tensor {
  const plain = expandIdx(bytes, name);
  const { dtype, dims, start, size } = parseHeader(plain, name);
  if (plain.length !== size) {
    throw new FormatError(`${name}: expected ${size} bytes for ${dtype} ${formatDims(dims)}, got ${plain.length}.`);
  }
  const Values = arrayOf[dtype];
  if (Values.BYTES_PER_ELEMENT === 1) {
    return {
      dtype,
      dims,
      data: new Values(plain.buffer as ArrayBuffer, plain.byteOffset + start, size - start),
    } as Tensor;
  }
  const copy = new Uint8Array(plain.subarray(start)); // not `slice`: a Node Buffer's shares memory
  swapBytesInto(copy, Values.BYTES_PER_ELEMENT);
  return { dtype, dims, data: new Values(copy.buffer) } as Tensor;
}

/**
 * The plain IDX bytes of a file that may be gzipped.
 * @throws FormatError as {@link readIdx} does.
 */
export function expandIdx(bytes: Uint8Array, name: string): Uint8Array {
  if (!looksLikeGzip(bytes)) return bytes;
  const body = gzipBody(bytes, name);
  const { size } = parseHeader(inflateHead(body, LONGEST_HEADER, name), name);
  return inflateExactly(body, size, name);
}

function parseHeader(bytes: Uint8Array, name: string): Header {
  const reader = new ByteReader(bytes, name);
  const [zeros, code, rank] = [reader.u16(), reader.u8(), reader.u8()];
  const dtype = dtypeOfCode.get(code);
  if (zeros !== 0 || dtype === undefined || rank < 1 || rank > MAX_RANK) {
    const magic = [...bytes.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    throw new FormatError(
      `${name}: expected an IDX file such as 00000803 (images) or 00000801 (labels), got ${magic}.`,
    );
  }
  const dims = Array.from({ length: rank }, () => reader.u32BigEndian());
  const start = reader.position;
  return { dtype, dims, start, size: start + elementCount(dims) * arrayOf[dtype].BYTES_PER_ELEMENT };
}
