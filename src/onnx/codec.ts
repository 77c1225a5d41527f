/** @file Bytes to `ModelProto` and back. Unknown fields are kept, so an untouched model is written as it was read. */
import { FormatError, messageOf } from "../core/errors.ts";
import { fromBinary, type ModelProto, ModelProtoSchema, toBinary } from "./schema.ts";

/**
 * Reads a model. Weights in `rawData` are views on `bytes`: nobody may change those afterwards.
 * @throws FormatError when the bytes are not an ONNX model: empty, cut off, another format, no graph inside.
 */
export function decodeModel(bytes: Uint8Array): ModelProto {
  if (bytes.length === 0) throw new FormatError("ONNX model: expected a ModelProto, got an empty file.");
  const model = parse(bytes);
  if (model.graph === undefined) {
    throw new FormatError(`ONNX model: expected a graph inside, got ${bytes.length} bytes without one.`);
  }
  return model;
}

function parse(bytes: Uint8Array): ModelProto {
  try {
    return fromBinary(ModelProtoSchema, bytes);
  } catch (cause) {
    throw new FormatError(
      `ONNX model: expected a ModelProto, got ${bytes.length} bytes that are not one; because ${messageOf(cause)}.`,
      { cause },
    );
  }
}

/** Writes a model; below 2 GB, which is all that protobuf can hold (see `external-data.ts`). */
export function encodeModel(model: ModelProto): Uint8Array {
  return toBinary(ModelProtoSchema, model);
}
