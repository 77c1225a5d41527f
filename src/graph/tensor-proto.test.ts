import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FormatError } from "../core/errors.ts";
import { create, DataLocation, DataType, fromBinary, TensorProtoSchema, toBinary } from "../onnx/schema.ts";
import { arrayOf, type DType, type Tensor } from "../tensor/tensor.ts";
import { onnxTypeOf } from "./dtypes.ts";
import { tensorFromProto, tensorToProto } from "./tensor-proto.ts";

const dtypes = Object.keys(arrayOf) as DType[];

test.each(dtypes)("%s goes out and comes back bit by bit", (dtype) => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 8, maxLength: 64 }), fc.nat(7), (bytes, shift) => {
      const whole = bytes.slice(0, bytes.length - (bytes.length % 8));
      const data = new arrayOf[dtype](whole.buffer);
      const value = { dtype, dims: [data.length, 1], data } as Tensor;
      const written = toBinary(TensorProtoSchema, tensorToProto("t", value));
      const moved = new Uint8Array(written.length + shift);
      moved.set(written, shift);
      const read = tensorFromProto(fromBinary(TensorProtoSchema, moved.subarray(shift)));
      expect([read.dtype, read.dims]).toEqual([dtype, value.dims]);
      expect(new Uint8Array(read.data.buffer, read.data.byteOffset, read.data.byteLength)).toEqual(whole);
    }),
    { numRuns: 20 },
  );
});

describe("typed fields", () => {
  const proto = (dtype: DType, fields: Parameters<typeof create<typeof TensorProtoSchema>>[1]): Tensor =>
    tensorFromProto(create(TensorProtoSchema, { dataType: onnxTypeOf[dtype], dims: [2n], ...fields }));

  test.each<[DType, Parameters<typeof create<typeof TensorProtoSchema>>[1], Tensor["data"]]>([
    ["float32", { floatData: [0.5, -1] }, Float32Array.of(0.5, -1)],
    ["float64", { doubleData: [0.1, -1] }, Float64Array.of(0.1, -1)],
    ["float16", { int32Data: [0x3c00, 0xbc00] }, Uint16Array.of(0x3c00, 0xbc00)],
    ["bfloat16", { int32Data: [0x3f80, 0xbf80] }, Uint16Array.of(0x3f80, 0xbf80)],
    ["int8", { int32Data: [-1, 127] }, Int8Array.of(-1, 127)],
    ["uint8", { int32Data: [1, 255] }, Uint8Array.of(1, 255)],
    ["int16", { int32Data: [-1, 2] }, Int16Array.of(-1, 2)],
    ["uint16", { int32Data: [1, 65535] }, Uint16Array.of(1, 65535)],
    ["int32", { int32Data: [-1, 2] }, Int32Array.of(-1, 2)],
    ["bool", { int32Data: [1, 0] }, Uint8Array.of(1, 0)],
    ["int64", { int64Data: [-1n, 2n ** 63n - 1n] }, BigInt64Array.of(-1n, 2n ** 63n - 1n)],
    ["uint32", { uint64Data: [1n, 4294967295n] }, Uint32Array.of(1, 4294967295)],
    ["uint64", { uint64Data: [1n, 2n ** 64n - 1n] }, BigUint64Array.of(1n, 2n ** 64n - 1n)],
  ])("%s", (dtype, fields, data) => {
    expect(proto(dtype, fields)).toEqual({ dtype, dims: [2], data });
  });
});

test("a scalar has no dims, an empty tensor no values", () => {
  const scalar = create(TensorProtoSchema, { dataType: DataType.FLOAT, floatData: [3] });
  expect(tensorFromProto(scalar)).toEqual({ dtype: "float32", dims: [], data: Float32Array.of(3) });
  const empty = create(TensorProtoSchema, { dataType: DataType.INT64, dims: [0n] });
  expect(tensorFromProto(empty)).toEqual({ dtype: "int64", dims: [0], data: new BigInt64Array(0) });
});

test.each<[string, Parameters<typeof create<typeof TensorProtoSchema>>[1], string]>([
  ["4 bits", { dataType: DataType.INT4 }, "expected numbers of 8 to 64 bits, got INT4."],
  ["text", { dataType: DataType.STRING }, "got STRING."],
  ["a type of the future", { dataType: 99 }, "got type 99."],
  ["too few bytes", { dims: [2n], rawData: new Uint8Array(4) }, "expected 2 values of float32 for [2], got 4 bytes."],
  ["an odd byte", { dims: [2n], rawData: new Uint8Array(9) }, "got 9 bytes."],
  ["too few values", { dims: [2n], floatData: [1] }, "expected 2 values of float32 for [2], got 1 values."],
  ["2^60 values that are not there", { dims: [2n ** 60n] }, "expected dims of 0 or more, got [1152921504606846976]."],
  ["negative dims", { dims: [-2n, -1n], floatData: [1, 2] }, "expected dims of 0 or more, got [-2, -1]."],
  ["external data", { dataLocation: DataLocation.EXTERNAL }, "expected its values in the model, got external data."],
])("refuses %s", (_, fields, message) => {
  const proto = create(TensorProtoSchema, { name: "w", dataType: DataType.FLOAT, ...fields });
  expect(() => tensorFromProto(proto)).toThrow(FormatError);
  expect(() => tensorFromProto(proto)).toThrow(message);
  expect(() => tensorFromProto(proto)).toThrow('tensor "w": ');
});
