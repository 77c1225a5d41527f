/**
 * @file The protobuf messages of ONNX. The only file that knows which package they come from: to swap the schema, edit
 * this page. Field names are camelCase, integers of 64 bits are `bigint`, `rawData` is a view on the decoded bytes.
 * @source onnx.proto of ONNX 1.20, https://github.com/onnx/onnx
 */
import type { DescMessage } from "@bufbuild/protobuf";

export { create, fromBinary, toBinary } from "@bufbuild/protobuf";
export {
  type AttributeProto,
  AttributeProto_AttributeType as AttributeType,
  AttributeProtoSchema,
  type GraphProto,
  GraphProtoSchema,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  StringStringEntryProtoSchema,
  type TensorProto,
  TensorProto_DataLocation as DataLocation,
  TensorProto_DataType as DataType,
  TensorProtoSchema,
  type TypeProto,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from "onnx-buf";

/** A message type. */
export type Schema = DescMessage;

const fieldTables = new WeakMap<Schema, ReadonlyMap<number, Schema | "scalar">>();

/** What a field number holds: messages of a type, scalars, or `undefined` for one that this schema does not know. */
export function schemaOfField(message: Schema, fieldNumber: number): Schema | "scalar" | undefined {
  let table = fieldTables.get(message);
  if (table === undefined) {
    table = new Map(message.fields.map((field) => [field.number, field.message ?? "scalar"]));
    fieldTables.set(message, table);
  }
  return table.get(fieldNumber);
}
