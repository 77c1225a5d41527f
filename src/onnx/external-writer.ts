/** @file Writing models beyond protobuf's 2 GB: big weights go to a file of their own. */
import { OptionError } from "../core/errors.ts";
import { encodeModel } from "./codec.ts";
import {
  create,
  DataLocation,
  GraphProtoSchema,
  type ModelProto,
  ModelProtoSchema,
  StringStringEntryProtoSchema,
  type TensorProto,
  TensorProtoSchema,
} from "./schema.ts";

/** Settings of {@link encodeModelWithExternalData}. */
export interface ExternalDataOptions {
  /** Name of the data file, relative to the model's; `model.onnx.data` when left out. */
  readonly location?: string;
  /** Weights of this many bytes and more move out; 1024 when left out. */
  readonly threshold?: number;
}

/** A model in two files. */
export interface ExternalModel {
  readonly model: Uint8Array;
  readonly location: string;
  /** The data file, piece after piece: views on the weights, never joined in memory. */
  readonly chunks: readonly Uint8Array[];
}

/** Offsets are multiples of this, so that weights may be read in place. */
const ALIGNMENT = 64;

/**
 * Writes a model whose big initializers lie in a second file. The given model is not changed.
 * @throws OptionError for a threshold that is not a number of bytes.
 */
export function encodeModelWithExternalData(
  model: ModelProto,
  { location = "model.onnx.data", threshold = 1024 }: ExternalDataOptions = {},
): ExternalModel {
  if (!Number.isSafeInteger(threshold) || threshold < 1) {
    throw new OptionError(`threshold: expected a whole number of bytes from 1, got ${threshold}.`);
  }
  const chunks: Uint8Array[] = [];
  let offset = 0;
  const moveOut = (tensor: TensorProto): TensorProto => {
    const { rawData } = tensor;
    if (rawData.length < threshold) return tensor;
    const padding = (ALIGNMENT - (offset % ALIGNMENT)) % ALIGNMENT;
    if (padding > 0) chunks.push(new Uint8Array(padding));
    chunks.push(rawData);
    const moved = pointTo(tensor, location, offset + padding);
    offset += padding + rawData.length;
    return moved;
  };
  const graph = Object.assign(create(GraphProtoSchema), model.graph);
  graph.initializer = graph.initializer.map(moveOut);
  return { model: encodeModel(Object.assign(create(ModelProtoSchema), model, { graph })), location, chunks };
}

/** A copy of a tensor without its bytes, which are at an offset of another file. */
function pointTo(tensor: TensorProto, location: string, offset: number): TensorProto {
  const { rawData, ...rest } = tensor;
  return Object.assign(create(TensorProtoSchema), rest, {
    dataLocation: DataLocation.EXTERNAL,
    externalData: Object.entries({ location, offset, length: rawData.length }).map(([key, value]) =>
      create(StringStringEntryProtoSchema, { key, value: String(value) }),
    ),
  });
}
