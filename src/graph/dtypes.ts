/** @file Element types: ONNX's numbers and our names. */
import { DataType } from "../onnx/schema.ts";
import type { DType } from "../tensor/tensor.ts";

/** ONNX's number of each element type that a tensor of ours can hold. */
export const onnxTypeOf = {
  float32: DataType.FLOAT,
  float64: DataType.DOUBLE,
  float16: DataType.FLOAT16,
  bfloat16: DataType.BFLOAT16,
  int8: DataType.INT8,
  int16: DataType.INT16,
  int32: DataType.INT32,
  int64: DataType.INT64,
  uint8: DataType.UINT8,
  uint16: DataType.UINT16,
  uint32: DataType.UINT32,
  uint64: DataType.UINT64,
  bool: DataType.BOOL,
} as const satisfies { readonly [D in DType]: DataType };

const dtypes = new Map<number, DType>((Object.keys(onnxTypeOf) as DType[]).map((dtype) => [onnxTypeOf[dtype], dtype]));

/** Our name of an ONNX element type; `undefined` for those we do not hold (strings, complex, 8-bit floats, 4 bits…). */
export function dtypeOf(onnxType: number): DType | undefined {
  return dtypes.get(onnxType);
}
