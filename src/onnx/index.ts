/** @file ONNX files: bytes to `ModelProto` and back, and the weights that lie beside a model. */
export { decodeModel, encodeModel } from "./codec.ts";
export { type ExternalFiles, inlineExternalData, loadExternalData } from "./external-data.ts";
export { type ExternalDataOptions, type ExternalModel, encodeModelWithExternalData } from "./external-writer.ts";
export type { AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto } from "./schema.ts";
