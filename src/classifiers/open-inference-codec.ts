/** @file Requests and answers of the Open Inference Protocol: JSON, or JSON followed by raw little-endian tensors. */
import { z } from "zod";
import { EndpointError } from "../core/errors.ts";
import { floatsFromBfloat16, floatsFromFloat16 } from "../tensor/half.ts";
import { elementCount } from "../tensor/shape.ts";
import type { Feed } from "./feed.ts";
import { type HttpAnswer, type HttpRequest, parseAnswer, shownUrl } from "./http-client.ts";
import { readNumbers } from "./json.ts";
import type { Answer } from "./score-reader.ts";

/** Header that tells where the JSON ends and raw tensors begin. */
const JSON_LENGTH = "inference-header-content-length";

const datatypeOf = { float32: "FP32", float16: "FP16", uint8: "UINT8" } as const;

/** Bytes of one number of each datatype, how to read them, and whether it is whole. */
const readers: Readonly<
  Record<string, { size: number; integers: boolean; read: (bytes: ArrayBuffer) => ArrayLike<number> }>
> = {
  FP64: { size: 8, integers: false, read: (b) => new Float64Array(b) },
  FP32: { size: 4, integers: false, read: (b) => new Float32Array(b) },
  FP16: { size: 2, integers: false, read: (b) => floatsFromFloat16(new Uint16Array(b)) },
  BF16: { size: 2, integers: false, read: (b) => floatsFromBfloat16(new Uint16Array(b)) },
  INT64: { size: 8, integers: true, read: (b) => Array.from(new BigInt64Array(b), Number) },
  UINT64: { size: 8, integers: true, read: (b) => Array.from(new BigUint64Array(b), Number) },
  INT32: { size: 4, integers: true, read: (b) => new Int32Array(b) },
  UINT32: { size: 4, integers: true, read: (b) => new Uint32Array(b) },
  INT16: { size: 2, integers: true, read: (b) => new Int16Array(b) },
  UINT16: { size: 2, integers: true, read: (b) => new Uint16Array(b) },
  INT8: { size: 1, integers: true, read: (b) => new Int8Array(b) },
  UINT8: { size: 1, integers: true, read: (b) => new Uint8Array(b) },
};

const outputTensor = z.looseObject({
  name: z.string(),
  datatype: z.string(),
  shape: z.array(z.coerce.number().int().nonnegative()).max(8),
  data: z.unknown().optional(),
  parameters: z.looseObject({ binary_data_size: z.number().int().nonnegative().optional() }).nullish(),
});
const inferAnswer = z.looseObject({ outputs: z.array(outputTensor).min(1) });
type OutputTensor = z.infer<typeof outputTensor>;

/** How a request is written. */
export interface InferOptions {
  readonly input: string;
  /** The output to ask for; all when it is not known. */
  readonly output: string | undefined;
  readonly binary: boolean;
}

/** The body and headers of an `infer` request. */
export function encodeInfer(feed: Feed, { input, output, binary }: InferOptions): HttpRequest {
  const tensor = { name: input, shape: feed.dims, datatype: datatypeOf[feed.dtype] };
  if (!binary) {
    const outputs = output === undefined ? {} : { outputs: [{ name: output }] };
    return { body: JSON.stringify({ inputs: [{ ...tensor, data: Array.from(feed.data) }], ...outputs }) };
  }
  const raw = new Uint8Array(feed.data.buffer, feed.data.byteOffset, feed.data.byteLength);
  const json = new TextEncoder().encode(
    JSON.stringify({
      inputs: [{ ...tensor, parameters: { binary_data_size: raw.length } }],
      ...(output === undefined
        ? { parameters: { binary_data_output: true } }
        : { outputs: [{ name: output, parameters: { binary_data: true } }] }),
    }),
  );
  const body = new Uint8Array(json.length + raw.length);
  body.set(json);
  body.set(raw, json.length);
  return { body, headers: { "content-type": "application/octet-stream", [JSON_LENGTH]: String(json.length) } };
}

/**
 * Reads the scores of an `infer` answer.
 * @param output the asked output; without a name the one called `logits`, else the first with two axes, else the first.
 * @throws EndpointError for anything that does not add up.
 */
export function readInfer(answer: HttpAnswer, output: string | undefined): Answer {
  const subject = shownUrl(answer.url);
  const { json, raw } = splitBody(answer, subject);
  const parsed = inferAnswer.safeParse(parseAnswer(answer, json, "scores"));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new EndpointError(
      `${subject}: expected "outputs", got ${issue?.path.join(".") || "an answer"}: ${issue?.message}.`,
    );
  }
  const { outputs } = parsed.data;
  const chosen =
    output === undefined
      ? (outputs.find(({ name }) => name === "logits") ?? outputs.find(({ shape }) => shape.length === 2) ?? outputs[0])
      : outputs.find(({ name }) => name === output);
  if (chosen === undefined) {
    const list = outputs.map(({ name }) => `"${name}"`).join(", ");
    throw new EndpointError(`${subject}: expected the output "${output}", got ${list}.`);
  }
  const size = chosen.parameters?.binary_data_size;
  if (size === undefined) return numbersOf(chosen, subject);
  const before = outputs.slice(0, outputs.indexOf(chosen));
  const from = before.reduce((sum, { parameters }) => sum + (parameters?.binary_data_size ?? 0), 0);
  return rawNumbersOf(chosen, raw.subarray(from, from + size), subject);
}

function splitBody({ headers, bytes }: HttpAnswer, subject: string): { json: Uint8Array; raw: Uint8Array } {
  const claimed = headers.get(JSON_LENGTH);
  if (claimed === null) return { json: bytes, raw: bytes.subarray(bytes.length) };
  const length = Number(claimed);
  if (!Number.isInteger(length) || length < 0 || length > bytes.length) {
    throw new EndpointError(
      `${subject}: expected ${JSON_LENGTH} of at most ${bytes.length}, got ${claimed.slice(0, 40)}.`,
    );
  }
  return { json: bytes.subarray(0, length), raw: bytes.subarray(length) };
}

/** `data` may be flat or nested. */
function numbersOf({ name, datatype, shape, data }: OutputTensor, subject: string): Answer {
  const numbers = readNumbers(data);
  if (typeof numbers === "string") {
    throw new EndpointError(`${subject}: expected output "${name}" of numbers, got ${numbers}.`);
  }
  if (numbers.values.length !== elementCount(shape)) {
    throw new EndpointError(
      `${subject}: expected ${elementCount(shape)} numbers in output "${name}" [${shape.join(", ")}], got ${numbers.values.length}.`,
    );
  }
  return { dims: shape, values: numbers.values, integers: readers[datatype]?.integers ?? numbers.integers };
}

function rawNumbersOf({ name, datatype, shape }: OutputTensor, raw: Uint8Array, subject: string): Answer {
  const reader = Object.hasOwn(readers, datatype) ? readers[datatype] : undefined;
  if (reader === undefined) {
    throw new EndpointError(`${subject}: expected output "${name}" of numbers, got datatype ${datatype.slice(0, 20)}.`);
  }
  const size = elementCount(shape) * reader.size;
  if (raw.length !== size) {
    throw new EndpointError(
      `${subject}: expected ${size} bytes in output "${name}" ${datatype} [${shape.join(", ")}], got ${raw.length}.`,
    );
  }
  // A copy, because raw tensors follow the JSON without padding.
  return { dims: shape, values: reader.read(raw.slice().buffer), integers: reader.integers };
}
