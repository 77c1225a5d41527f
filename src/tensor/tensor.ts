/** @file Our own tensor: plain memory with dims. `runtime/` converts to and from the engines' classes at its border. */
import { ShapeError } from "../core/errors.ts";
import { elementCount } from "./shape.ts";

/** Typed array of each element type. float16 and bfloat16 are kept as their bits. */
export interface DataOf {
  float32: Float32Array;
  float64: Float64Array;
  float16: Uint16Array;
  bfloat16: Uint16Array;
  int8: Int8Array;
  int16: Int16Array;
  int32: Int32Array;
  int64: BigInt64Array;
  uint8: Uint8Array;
  uint16: Uint16Array;
  uint32: Uint32Array;
  uint64: BigUint64Array;
  bool: Uint8Array;
}

/** Element type. */
export type DType = keyof DataOf;

/** A tensor of one element type, row-major. Nobody mutates `dims`. */
export interface TensorOf<D extends DType> {
  readonly dtype: D;
  readonly dims: readonly number[];
  readonly data: DataOf[D];
}

/** Any tensor. Check `dtype` to narrow it. */
export type Tensor = { [D in DType]: TensorOf<D> }[DType];

/** What images, noise and scores are made of. */
export type Float32Tensor = TensorOf<"float32">;

/** A real tensor: samplers run in float32, and in float64 where references are checked to 1e-9. */
export type RealTensor = TensorOf<"float32"> | TensorOf<"float64">;

/** Constructor of each element type's array. */
export const arrayOf = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
  bfloat16: Uint16Array,
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  uint64: BigUint64Array,
  bool: Uint8Array,
} as const satisfies { [D in DType]: unknown };

/**
 * A tensor over given memory.
 * @throws ShapeError when the number of elements is not the product of the dims.
 */
export function tensor<D extends DType>(dtype: D, dims: readonly number[], data: DataOf[D]): TensorOf<D> {
  if (data.length !== elementCount(dims)) {
    throw new ShapeError(
      `tensor: expected ${elementCount(dims)} elements for [${dims.join(", ")}], got ${data.length}.`,
    );
  }
  return { dtype, dims, data };
}

/** A float32 tensor; zeros when no data is given. */
export function float32(dims: readonly number[], data?: Float32Array | readonly number[]): Float32Tensor {
  if (data === undefined) return { dtype: "float32", dims, data: new Float32Array(elementCount(dims)) };
  return tensor("float32", dims, data instanceof Float32Array ? data : Float32Array.from(data));
}

/** An int64 tensor of safe integers. */
export function int64(dims: readonly number[], values: readonly number[]): TensorOf<"int64"> {
  return tensor("int64", dims, BigInt64Array.from(values, BigInt));
}

/** The values of any tensor as JavaScript numbers (int64 beyond 2^53 loses digits). */
export function toNumbers(t: Tensor): number[] {
  return Array.from(t.data as ArrayLike<number | bigint>, Number);
}
