/**
 * @file A classifier as files: the model, and Hugging Face's description of its classes and of what happens to images.
 * What is written is what `model-config.ts` and `preprocessing.ts` read.
 */
import { FormatError, OptionError } from "../core/errors.ts";
import { graphFromModel } from "../graph/from-model.ts";
import type { Graph } from "../graph/ir.ts";
import { graphToBytes } from "../graph/to-model.ts";
import { decodeModel } from "../onnx/codec.ts";
import { formatDims } from "../tensor/shape.ts";
import { readSignature } from "./onnx-signature.ts";
import { readPreprocessing } from "./preprocessing.ts";

/** What {@link saveClassifier} saves. */
export interface ClassifierToSave {
  /** A classifier's graph with one image input of normalised pixels, or the bytes of such an ONNX model. */
  readonly model: Graph | Uint8Array;
  /** Names of the classes, in the order of the scores. */
  readonly labels: readonly string[];
  /** Mean per channel, or one for all, that is subtracted from values in [0, 1]. */
  readonly mean: readonly number[];
  /** Deviation per channel, or one for all, that they are divided by. */
  readonly std: readonly number[];
  /** Height and width that images are resized to; those of the model's input where it fixes them. */
  readonly size?: { readonly height: number; readonly width: number } | undefined;
  /** Name of the architecture. */
  readonly architecture?: string | undefined;
}

/**
 * The files of a classifier's folder: `model.onnx`, `config.json`, `preprocessor_config.json`. Where two classes share a
 * name, `label2id` has the first.
 * @returns bytes by file name; equal input gives equal bytes.
 * @throws FormatError when the model has not one image input of known channels; OptionError when labels, mean, deviation
 * or size do not fit it.
 */
export function saveClassifier(classifier: ClassifierToSave): Record<string, Uint8Array> {
  const { model, labels, architecture } = classifier;
  const isBytes = model instanceof Uint8Array;
  const { channels, height, width, classes } = shapeOf(isBytes ? graphFromModel(decodeModel(model)) : model);
  if (labels.length === 0 || labels.length !== (classes ?? labels.length)) {
    throw new OptionError(
      `labels: expected ${classes ?? "some"} names, one for each score of the model, got ${labels.length}.`,
    );
  }
  const size = sizeOf({ height, width }, classifier.size);
  const config = {
    ...(architecture === undefined ? {} : { architectures: [architecture] }),
    num_labels: labels.length,
    id2label: Object.fromEntries(labels.entries()),
    label2id: Object.fromEntries([...labels.entries()].reverse().map(([id, label]) => [label, id])),
    image_size: size.height === size.width ? size.height : [size.height, size.width],
    num_channels: channels,
  };
  const preprocessor = {
    do_resize: true,
    size,
    do_rescale: true,
    rescale_factor: 1 / 255,
    do_normalize: true,
    image_mean: perChannel("mean", classifier.mean, channels),
    image_std: perChannel("std", classifier.std, channels),
  };
  readPreprocessing(undefined, { mean: preprocessor.image_mean, std: preprocessor.image_std });
  return {
    "model.onnx": isBytes ? model : graphToBytes(model),
    "config.json": jsonBytes(config),
    "preprocessor_config.json": jsonBytes(preprocessor),
  };
}

interface ModelShape {
  readonly channels: number;
  readonly height: number | undefined;
  readonly width: number | undefined;
  readonly classes: number | undefined;
}

/** What a model says of its images and scores. */
function shapeOf(graph: Graph): ModelShape {
  const known = (values: Graph["inputs"]) => values.map((value) => ({ ...value, dims: value.dims ?? [] }));
  const { image, input, output } = readSignature({ inputs: known(graph.inputs), outputs: known(graph.outputs) }, {});
  const { channels, height, width } = image;
  if (channels === undefined) {
    const dims = graph.inputs.find(({ name }) => name === input)?.dims ?? [];
    throw new FormatError(
      `classifier: expected a known number of channels, got "${input}" with dims ${formatDims(dims)}.`,
    );
  }
  const classes = graph.outputs.find(({ name }) => name === output)?.dims?.[1];
  return { channels, height, width, classes: typeof classes === "number" ? classes : undefined };
}

function sizeOf(
  { height, width }: Pick<ModelShape, "height" | "width">,
  wanted: ClassifierToSave["size"],
): { height: number; width: number } {
  const size = { height: wanted?.height ?? height, width: wanted?.width ?? width };
  if (size.height === undefined || size.width === undefined) {
    throw new OptionError("size: expected height and width for a model that takes images of any size, got none.");
  }
  if (![size.height, size.width].every((side) => Number.isSafeInteger(side) && side > 0)) {
    throw new OptionError(`size: expected positive integers, got ${size.height}x${size.width}.`);
  }
  if ((height ?? size.height) !== size.height || (width ?? size.width) !== size.width) {
    throw new OptionError(
      `size: expected ${height}x${width} pixels, as the model takes them, got ${size.height}x${size.width}.`,
    );
  }
  return { height: size.height, width: size.width };
}

/** One number for each channel, as Hugging Face wants them. */
function perChannel(what: "mean" | "std", values: readonly number[], channels: number): readonly number[] {
  const [only] = values;
  if (values.length === 1 && only !== undefined) return Array.from({ length: channels }, () => only);
  if (values.length === channels) return values;
  throw new OptionError(`${what}: expected one number, or one for each of ${channels} channels, got ${values.length}.`);
}

function jsonBytes(value: object): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(value, undefined, 2)}\n`);
}
