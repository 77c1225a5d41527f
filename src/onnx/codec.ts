/** @file Bytes to `ModelProto` and back. Unknown fields are kept, so an untouched model is written as it was read. */
import { FormatError, messageOf } from "../core/errors.ts";
import { countObjects } from "./kernels.ts";
import {
  type AttributeProto,
  AttributeProtoSchema,
  fromBinary,
  type ModelProto,
  ModelProtoSchema,
  toBinary,
} from "./schema.ts";
import { tensorsOf } from "./tensors.ts";

/**
 * Reads a model. Weights in `rawData` are views on `bytes`: nobody may change those afterwards.
 * @throws FormatError when the bytes are not an ONNX model: empty, cut off, another format, no graph inside.
 */
export function decodeModel(bytes: Uint8Array): ModelProto {
  if (bytes.length === 0) throw new FormatError("ONNX model: expected a ModelProto, got an empty file.");
  if (countObjects(bytes, ModelProtoSchema, MAX_OBJECTS) === MAX_OBJECTS) {
    throw new FormatError(
      `ONNX model: expected fewer than ${MAX_OBJECTS} messages, got more in ${bytes.length} bytes.`,
    );
  }
  const model = parse(bytes);
  if (model.graph === undefined) {
    throw new FormatError(`ONNX model: expected a graph inside, got ${bytes.length} bytes without one.`);
  }
  // Models name their operator sets since version 3 of the format; a file cut off behind its graph does not.
  if (model.opsetImport.length === 0 && model.irVersion >= 3n) {
    throw new FormatError("ONNX model: expected the versions of its operators, got none; because the file is cut off.");
  }
  return model;
}

/** Far more than any network has, and about 1 GB once decoded. */
const MAX_OBJECTS = 4_000_000;

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

/** All that one protobuf message can hold. */
const PROTOBUF_LIMIT = 2 ** 31 - 1;

/**
 * Writes a model.
 * @throws FormatError when its weights alone pass protobuf's 2 GB; `encodeModelWithExternalData` writes such models.
 */
export function encodeModel(model: ModelProto): Uint8Array {
  let weights = 0;
  for (const { rawData } of tensorsOf(model)) weights += rawData.length;
  if (weights > PROTOBUF_LIMIT) {
    throw new FormatError(
      `ONNX model: expected at most ${PROTOBUF_LIMIT} bytes in one file, got ${weights} bytes of weights. Do write it with external data.`,
    );
  }
  return toBinary(ModelProtoSchema, model);
}

/** Reads one attribute, such as a subgraph that was kept as bytes. @throws FormatError when it is not one. */
export function decodeAttribute(bytes: Uint8Array): AttributeProto {
  try {
    return fromBinary(AttributeProtoSchema, bytes);
  } catch (cause) {
    throw new FormatError(
      `ONNX attribute: expected an AttributeProto, got ${bytes.length} bytes that are not one; because ${messageOf(cause)}.`,
      { cause },
    );
  }
}

/** Writes one attribute. */
export function encodeAttribute(attribute: AttributeProto): Uint8Array {
  return toBinary(AttributeProtoSchema, attribute);
}
