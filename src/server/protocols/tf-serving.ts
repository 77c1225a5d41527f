/**
 * @file TensorFlow Serving's REST `predict`, also KServe V1: `instances`, a row each, or `inputs`, a whole tensor; encoded
 * pictures as `{"b64": …}`.
 * @source https://www.tensorflow.org/tfx/serving/api_rest
 */
import { parseJson, readNumbers } from "../../classifiers/json.ts";
import { readPredictions } from "../../classifiers/tf-serving.ts";
import { EndpointError, FormatError } from "../../core/errors.ts";
import { rowsOf } from "../../tensor/rows.ts";
import type { Float32Tensor } from "../../tensor/tensor.ts";
import { elementsOf, membersOf, type Span, splice, wholeOf } from "../json-spans.ts";
import { decodePictures, encodePictures, fromBase64 } from "../pictures.ts";
import { type ImageForm, samplesOf, unitImages } from "../pixels.ts";
import { textOf } from "./open-inference-request.ts";
import { jsonMessage, message } from "./open-inference-wire.ts";
import type { Answered, FoundImages, Message, Protocol } from "./protocol.ts";

/** A value of a request that holds one image, or the whole batch. */
interface Place {
  readonly span: Span;
  readonly value: unknown;
}

/** The protocol. */
export const tfServing: Protocol = {
  name: "tf-serving",

  async decode({ body }, form) {
    const text = textOf(body);
    const places = imagePlaces(text, form);
    const write = (parts: readonly unknown[]): Message =>
      message(
        splice(
          text,
          places.map(({ span }, i) => ({ ...span, by: JSON.stringify(parts[i]) })),
        ),
        [],
      );
    const files = places.map(({ value }) => fileOf(value));
    return files.every((file) => file !== undefined)
      ? await findPictures(files, form, write)
      : findPixels(places, form, write);
  },

  encodeRefusal: ({ sentence }) => jsonMessage({ error: sentence }),

  readScores: (answer, from) => readPredictions(parsedBody(answer, from), undefined, `upstream "${from}"`),

  checkAnswer(answer, from) {
    const value = parsedBody(answer, from);
    const found = typeof value === "object" && value !== null && ("predictions" in value || "outputs" in value);
    if (!found) throw new EndpointError(`upstream "${from}": expected predictions, got an answer without them.`);
  },

  encodeAnswer({ body }, { probabilities, unpurified, note }) {
    const columnar = membersOf(textOf(body), wholeOf(textOf(body))).has("inputs");
    const rows = (t: Float32Tensor): number[][] =>
      Array.from({ length: t.dims[0] ?? 0 }, (_, i) => Array.from(rowsOf(t, i, i + 1).data));
    return jsonMessage({
      [columnar ? "outputs" : "predictions"]: rows(probabilities),
      ...(unpurified === undefined ? {} : { unpurified: rows(unpurified) }),
      ...(note === undefined ? {} : { parameters: { untrigger: note } }),
    });
  },
};

function parsedBody({ body }: Answered, from: string): unknown {
  const parsed = parseJson(new TextDecoder().decode(body));
  if (parsed === undefined)
    throw new EndpointError(`upstream "${from}": expected predictions as JSON, got other text.`);
  return parsed.value;
}

/** Where the images stand: in `instances` one each, bare or below a name; in `inputs` all in one tensor. */
function imagePlaces(text: string, form: ImageForm): Place[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new FormatError("request: expected JSON, got other text.", { cause });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new FormatError("request: expected an object with instances or inputs, got something else.");
  }
  const members = membersOf(text, wholeOf(text));
  const [instances, inputs] = [members.get("instances"), members.get("inputs")];
  if ((instances === undefined) === (inputs === undefined)) {
    throw new FormatError("request: expected either instances or inputs, got both or neither.");
  }
  const read = (span: Span): Place => ({ span, value: JSON.parse(text.slice(span.from, span.to)) });
  if (inputs !== undefined) {
    const whole = named(text, inputs, form);
    const list = elementsOf(text, whole);
    // A list of encoded pictures is one place each; numbers are one tensor.
    return text[whole.from] === "[" && list.length > 0 && text[list[0]?.from ?? 0] === "{"
      ? list.map(read)
      : [read(whole)];
  }
  if (instances === undefined || text[instances.from] !== "[")
    throw new FormatError("instances: expected a list, got something else.");
  return elementsOf(text, instances).map((span) => read(named(text, span, form)));
}

/** The value itself, or the one below a name: of the configured input, or the only one. */
function named(text: string, span: Span, { input }: ImageForm): Span {
  if (text[span.from] !== "{") return span;
  const members = membersOf(text, span);
  if (members.has("b64")) return span;
  const only = members.size === 1 ? [...members.values()][0] : undefined;
  const found = input === undefined ? only : members.get(input);
  if (found !== undefined) return found;
  throw new FormatError(
    input === undefined
      ? `request: expected one input, got ${members.size}. Do name the one with images as "input" in the gateway's configuration.`
      : `request: expected the input "${input}", got ${[...members.keys()].slice(0, 8).join(", ") || "none"}.`,
  );
}

function fileOf(value: unknown): Uint8Array | undefined {
  if (typeof value !== "object" || value === null || !("b64" in value)) return undefined;
  if (typeof value.b64 !== "string") throw new FormatError("b64: expected base64, got something else.");
  return fromBase64(value.b64, "b64");
}

async function findPictures(
  files: readonly Uint8Array[],
  form: ImageForm,
  write: (parts: readonly unknown[]) => Message,
): Promise<FoundImages> {
  return {
    images: await decodePictures("instance", files, form),
    replace: async (others) =>
      write((await encodePictures(others)).map((png) => ({ b64: Buffer.from(png).toString("base64") }))),
  };
}

function findPixels(
  places: readonly Place[],
  form: ImageForm,
  write: (parts: readonly unknown[]) => Message,
): FoundImages {
  const [first] = places;
  const single = places.length === 1 && first !== undefined && depthOf(first.value) === 4;
  const nested = single ? first.value : places.map(({ value }) => value);
  const numbers = readNumbers(nested);
  if (typeof numbers === "string") throw new FormatError(`request: expected images of numbers, got ${numbers}.`);
  const { dims, values } = numbers;
  // The protocol's own order of axes is channels last.
  const last: ImageForm = { ...form, layout: form.layout ?? "NHWC" };
  const { images, layout } = unitImages({ name: "instances", type: "float32", dims, values }, last);
  return {
    images,
    async replace(others) {
      const samples = samplesOf(others, { type: "float32", layout, form });
      let at = 0;
      const fill = (value: unknown): unknown => (Array.isArray(value) ? value.map(fill) : samples[at++]);
      const filled = fill(nested);
      return write(single ? [filled] : (filled as readonly unknown[]));
    },
  };
}

function depthOf(value: unknown): number {
  return Array.isArray(value) ? 1 + depthOf(value[0]) : 0;
}
