/** @file Tensors of ours to `TensorProto` and back. Half floats stay bits. */
import { FormatError } from "../core/errors.ts";
import { byteLengthOf, countElements, elementTypeName } from "../onnx/element-types.ts";
import { create, DataLocation, type TensorProto, TensorProtoSchema } from "../onnx/schema.ts";
import { arrayOf, type DType, type Tensor } from "../tensor/tensor.ts";
import { dtypeOf, onnxTypeOf } from "./dtypes.ts";

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

/**
 * A protobuf message as tensor. Aligned bytes are shared with the message, others are copied.
 * @throws FormatError for element types that we do not hold, for external data that are not loaded, and when the values
 * are not as many as the dims say.
 */
export function tensorFromProto(proto: TensorProto): Tensor {
  const what = `tensor "${proto.name.slice(0, 100)}"`;
  const dtype = dtypeOf(proto.dataType);
  if (dtype === undefined) {
    throw new FormatError(`${what}: expected numbers of 8 to 64 bits, got ${elementTypeName(proto.dataType)}.`);
  }
  if (proto.dataLocation === DataLocation.EXTERNAL) {
    throw new FormatError(`${what}: expected its values in the model, got external data. Do load them first.`);
  }
  const count = countElements(what, proto.dims);
  const raw = proto.rawData;
  const data = raw.length > 0 ? rawValues(dtype, raw) : typedValues(dtype, proto);
  if (data.length !== count || (raw.length > 0 && raw.length !== byteLengthOf(proto.dataType, count))) {
    const got = raw.length > 0 ? `${raw.length} bytes` : `${data.length} values`;
    throw new FormatError(`${what}: expected ${count} values of ${dtype} for [${proto.dims.join(", ")}], got ${got}.`);
  }
  return { dtype, dims: proto.dims.map(Number), data } as Tensor;
}

function rawValues(dtype: DType, raw: Uint8Array<ArrayBuffer>): Tensor["data"] {
  const array = arrayOf[dtype];
  // Not `slice`: that of a Node `Buffer` is a view of the same memory.
  const bytes = raw.byteOffset % array.BYTES_PER_ELEMENT === 0 ? raw : Uint8Array.from(raw);
  return new array(bytes.buffer, bytes.byteOffset, Math.floor(bytes.length / array.BYTES_PER_ELEMENT));
}

/** The values of the repeated field for a type; integers below 64 bits and bit patterns share `int32_data`. */
function typedValues(dtype: DType, proto: TensorProto): Tensor["data"] {
  switch (dtype) {
    case "float32":
      return Float32Array.from(proto.floatData);
    case "float64":
      return Float64Array.from(proto.doubleData);
    case "int64":
      return BigInt64Array.from(proto.int64Data);
    case "uint64":
      return BigUint64Array.from(proto.uint64Data);
    case "uint32":
      return Uint32Array.from(proto.uint64Data, Number);
    default:
      return new arrayOf[dtype](proto.int32Data);
  }
}
