/** @file How many bits each ONNX element type takes in `raw_data` and in external files. */
import { FormatError } from "../core/errors.ts";
import { DataType } from "./schema.ts";

const bitsOf: Readonly<Record<number, number>> = {
  [DataType.FLOAT]: 32,
  [DataType.UINT8]: 8,
  [DataType.INT8]: 8,
  [DataType.UINT16]: 16,
  [DataType.INT16]: 16,
  [DataType.INT32]: 32,
  [DataType.INT64]: 64,
  [DataType.BOOL]: 8,
  [DataType.FLOAT16]: 16,
  [DataType.DOUBLE]: 64,
  [DataType.UINT32]: 32,
  [DataType.UINT64]: 64,
  [DataType.COMPLEX64]: 64,
  [DataType.COMPLEX128]: 128,
  [DataType.BFLOAT16]: 16,
  [DataType.FLOAT8E4M3FN]: 8,
  [DataType.FLOAT8E4M3FNUZ]: 8,
  [DataType.FLOAT8E5M2]: 8,
  [DataType.FLOAT8E5M2FNUZ]: 8,
  [DataType.UINT4]: 4,
  [DataType.INT4]: 4,
  [DataType.FLOAT4E2M1]: 4,
  [DataType.FLOAT8E8M0]: 8,
  [DataType.UINT2]: 2,
  [DataType.INT2]: 2,
};

/** ONNX's own name of an element type, for messages: `INT4`, or `type 99` for one that ONNX does not have. */
export function elementTypeName(elementType: number): string {
  return DataType[elementType] ?? `type ${elementType}`;
}

/**
 * Number of elements of a tensor.
 * @param what the tensor, for the message. @throws FormatError for negative dims and counts beyond 2^53.
 */
export function countElements(what: string, dims: readonly bigint[]): number {
  const count = dims.reduce((product, dim) => product * dim, 1n);
  if (dims.some((dim) => dim < 0n) || count > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new FormatError(`${what}: expected dims of 0 or more, got [${dims.slice(0, 8).join(", ")}].`);
  }
  return Number(count);
}

/** Bytes that `count` packed elements take; `undefined` for strings and types that ONNX does not have. */
export function byteLengthOf(elementType: number, count: number): number | undefined {
  const bits = bitsOf[elementType];
  return bits === undefined ? undefined : Math.ceil((count / 8) * bits);
}
