/**
 * @file The Open Inference Protocol (KServe V2), from the server's side: tensors as JSON or as bytes behind it.
 * @source https://github.com/kserve/open-inference-protocol and Triton's docs/protocol/extension_binary_data.md
 */
import { readNumbers } from "../../classifiers/json.ts";
import { readInfer } from "../../classifiers/open-inference-codec.ts";
import { FormatError, ShapeError } from "../../core/errors.ts";
import { floatsFromFloat16 } from "../../tensor/half.ts";
import { elementCount, formatDims } from "../../tensor/shape.ts";
import { elementsOf, membersOf, type Span, splice, wholeOf } from "../json-spans.ts";
import { decodePictures, encodePictures, fromBase64 } from "../pictures.ts";
import { type ImageForm, type PixelType, samplesOf, unitImages } from "../pixels.ts";
import { bytesElements, bytesTensor } from "./bytes-tensor.ts";
import { checkOutputs, encodeOutputs, joinAnswers } from "./open-inference-answer.ts";
import { type InferRequest, type InputTensor, readRequest } from "./open-inference-request.ts";
import { JSON_LENGTH, jsonMessage, message } from "./open-inference-wire.ts";
import type { FoundImages, Message, Protocol } from "./protocol.ts";

/** Datatypes that hold pixels, with the bytes of one and how to read them. */
const pixelTypes: Readonly<
  Record<string, { type: PixelType; size: number; read: (b: ArrayBuffer) => ArrayLike<number> }>
> = {
  FP32: { type: "float32", size: 4, read: (b) => new Float32Array(b) },
  FP64: { type: "float64", size: 8, read: (b) => new Float64Array(b) },
  FP16: { type: "float16", size: 2, read: (b) => floatsFromFloat16(new Uint16Array(b)) },
  UINT8: { type: "uint8", size: 1, read: (b) => new Uint8Array(b) },
};

/** The protocol over HTTP. */
export const openInference: Protocol = {
  name: "open-inference",

  async decode(request, form) {
    const { text, raw, json } = readRequest(request);
    const index = imageIndex(json, form);
    const tensor = json.inputs[index] as InputTensor;
    const places = placesOf(text, index);
    const offsets = rawOffsets(json, raw);
    const [from = 0, to = 0] = offsets[index] ?? [];
    const binary = tensor.parameters?.binary_data_size !== undefined;
    if (binary === places.has("data")) {
      throw new FormatError(
        `${subjectOf(tensor)}: expected data, or binary_data_size without data, got both or neither.`,
      );
    }
    const write = (bytes: Uint8Array): Message => {
      // Only BYTES change their length: then the JSON says so, too.
      const size = places.get("binary_data_size") as Span;
      const told = bytes.length === to - from ? text : splice(text, [{ ...size, by: String(bytes.length) }]);
      return message(told, [raw.subarray(0, from), bytes, raw.subarray(to)]);
    };
    const writeJson = (data: unknown): Message =>
      message(
        splice(text, [{ ...(places.get("data") as Span), by: JSON.stringify(data) }]),
        raw.length > 0 ? [raw] : [],
      );
    return tensor.datatype === "BYTES"
      ? await findPictures(tensor, form, binary ? { raw: raw.subarray(from, to), write } : { write: writeJson })
      : findPixels(tensor, form, binary ? { raw: raw.subarray(from, to), write } : { write: writeJson });
  },

  encodeRefusal: ({ sentence }) => jsonMessage({ error: sentence }),

  readScores({ status, headers, body }, from) {
    const shown = new Headers();
    const length = headers[JSON_LENGTH];
    if (length !== undefined) shown.set(JSON_LENGTH, length);
    // Not a Buffer, whose slices are views.
    const bytes = new Uint8Array(body.buffer, body.byteOffset, body.byteLength);
    return readInfer({ url: `http://${from}/`, status, headers: shown, bytes }, undefined);
  },

  checkAnswer: checkOutputs,

  encodeAnswer: (request, answer) => encodeOutputs(readRequest(request).json, answer),

  join: joinAnswers,
};

/** Which input holds the images. A second input could hold the true ones, so that it has to be told which is which. */
function imageIndex({ inputs }: InferRequest, { input }: ImageForm): number {
  if (input === undefined) {
    if (inputs.length === 1) return 0;
    throw new FormatError(
      `request: expected one input, got ${inputs.length}. Do name the one with images as "input" in the gateway's configuration.`,
    );
  }
  const found = inputs.flatMap(({ name }, i) => (name === input ? [i] : []));
  if (found.length === 1) return found[0] as number;
  throw new FormatError(`request: expected the input "${input}" once, got it ${found.length} times.`);
}

/** Where the parts of the image's input stand; also refuses keys that come twice on the way there. */
function placesOf(text: string, index: number): ReadonlyMap<string, Span> {
  const inputs = membersOf(text, wholeOf(text)).get("inputs") as Span;
  const all = elementsOf(text, inputs).map((element) => {
    const members = membersOf(text, element);
    const parameters = members.get("parameters");
    return new Map([...(parameters === undefined ? [] : membersOf(text, parameters)), ...members]);
  });
  return all[index] ?? new Map();
}

/** First byte and end of each raw tensor. @throws FormatError when they are not the bytes behind the JSON. */
function rawOffsets({ inputs }: InferRequest, raw: Uint8Array): ([number, number] | undefined)[] {
  let at = 0;
  const offsets = inputs.map(({ parameters }): [number, number] | undefined => {
    const size = parameters?.binary_data_size;
    if (size === undefined) return undefined;
    at += size;
    return [at - size, at];
  });
  if (at !== raw.length) {
    throw new FormatError(`request: expected ${at} bytes of raw tensors behind the JSON, got ${raw.length}.`);
  }
  return offsets;
}

/** How a tensor is held: as bytes behind the JSON, or in it. */
type Held =
  | { readonly raw: Uint8Array; write(bytes: Uint8Array): Message }
  | { readonly raw?: undefined; write(data: unknown): Message };

function findPixels(tensor: InputTensor, form: ImageForm, held: Held): FoundImages {
  const { name, shape, datatype, data } = tensor;
  const kind = Object.hasOwn(pixelTypes, datatype) ? pixelTypes[datatype] : undefined;
  if (kind === undefined || (datatype === "FP16" && held.raw === undefined)) {
    const known = [...Object.keys(pixelTypes), "BYTES"].join(", ");
    const got = kind === undefined ? datatype.slice(0, 20) : "FP16 in JSON";
    throw new FormatError(`${subjectOf(tensor)}: expected images of datatype ${known}, got ${got}.`);
  }
  const { type, size, read } = kind;
  const count = elementCount(shape);
  const nested = held.raw === undefined && Array.isArray(data) && Array.isArray(data[0]);
  const values = held.raw === undefined ? jsonNumbers(tensor) : rawNumbers(tensor, held.raw, { size, read });
  if (values.length !== count) {
    throw new ShapeError(
      `${subjectOf(tensor)}: expected ${count} numbers for ${formatDims(shape)}, got ${values.length}.`,
    );
  }
  const { images, layout } = unitImages({ name, type, dims: shape, values }, form);
  return {
    images,
    async replace(others) {
      const samples = samplesOf(others, { type, layout, form });
      if (held.raw !== undefined) {
        return held.write(new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength));
      }
      return held.write(nested ? likeNested(data, samples) : Array.from(samples));
    },
  };
}

/** Nested arrays of any form that hold so many numbers, with others in their place. */
function likeNested(pattern: unknown, samples: ArrayLike<number>): unknown {
  let at = 0;
  const fill = (value: unknown): unknown => (Array.isArray(value) ? value.map(fill) : samples[at++]);
  return fill(pattern);
}

function jsonNumbers(tensor: InputTensor): readonly number[] {
  const numbers = readNumbers(tensor.data);
  if (typeof numbers !== "string") return numbers.values;
  throw new FormatError(`${subjectOf(tensor)}: expected numbers, got ${numbers}.`);
}

function rawNumbers(
  tensor: InputTensor,
  raw: Uint8Array,
  { size, read }: { readonly size: number; readonly read: (b: ArrayBuffer) => ArrayLike<number> },
): ArrayLike<number> {
  const bytes = elementCount(tensor.shape) * size;
  if (raw.length !== bytes) {
    throw new ShapeError(
      `${subjectOf(tensor)}: expected ${bytes} bytes for ${tensor.datatype} ${formatDims(tensor.shape)}, got ${raw.length}.`,
    );
  }
  // A copy, because raw tensors follow the JSON without padding.
  return read(new Uint8Array(raw).buffer);
}

async function findPictures(tensor: InputTensor, form: ImageForm, held: Held): Promise<FoundImages> {
  const subject = subjectOf(tensor);
  const count = elementCount(tensor.shape);
  const files = held.raw === undefined ? base64Files(tensor) : bytesElements(held.raw, form.limits.images, subject);
  if (files.length !== count) {
    throw new ShapeError(
      `${subject}: expected ${count} pictures for ${formatDims(tensor.shape)}, got ${files.length}.`,
    );
  }
  return {
    images: await decodePictures(subject, files, form),
    async replace(others) {
      const pngs = await encodePictures(others);
      if (held.raw !== undefined) return held.write(bytesTensor(pngs));
      const texts = pngs.map((png) => Buffer.from(png).toString("base64"));
      return held.write(Array.isArray(tensor.data) && Array.isArray(tensor.data[0]) ? texts.map((t) => [t]) : texts);
    },
  };
}

function base64Files(tensor: InputTensor): Uint8Array[] {
  const list: unknown[] = Array.isArray(tensor.data) ? tensor.data.flat(2) : [];
  return list.map((text) => {
    if (typeof text !== "string") {
      throw new FormatError(`${subjectOf(tensor)}: expected pictures as base64 texts, got ${typeof text}.`);
    }
    return fromBase64(text, subjectOf(tensor));
  });
}

function subjectOf({ name }: InputTensor): string {
  return `input "${name.slice(0, 80)}"`;
}
