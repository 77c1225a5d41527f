/**
 * @file The protobuf messages of ONNX. The only file that knows which package they come from: to swap the schema, edit
 * this page. Field names are camelCase, integers of 64 bits are `bigint`, `rawData` is a view on the decoded bytes.
 * @source onnx.proto of ONNX 1.20, https://github.com/onnx/onnx
 */
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
  type TensorProto,
  TensorProto_DataLocation as DataLocation,
  TensorProto_DataType as DataType,
  TensorProtoSchema,
  type TypeProto,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from "onnx-buf";
