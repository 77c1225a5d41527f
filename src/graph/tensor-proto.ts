/** @file Tensors of ours as `TensorProto`. */

import { create, type TensorProto, TensorProtoSchema } from "../onnx/schema.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { onnxTypeOf } from "./dtypes.ts";

/** A tensor as protobuf message. The bytes are shared, not copied. */
export function tensorToProto(name: string, { dtype, dims, data }: Tensor): TensorProto {
  return create(TensorProtoSchema, {
    name,
    dataType: onnxTypeOf[dtype],
    dims: dims.map(BigInt),
    // Every platform that runs JavaScript engines is little-endian, as ONNX is.
    rawData: new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength),
  });
}
