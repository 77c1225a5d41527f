/** @file Requests of the Open Inference Protocol, split into JSON and raw tensors, and checked. */
import { z } from "zod";
import { FormatError } from "../../core/errors.ts";
import { JSON_LENGTH } from "./open-inference-wire.ts";
import type { Incoming } from "./protocol.ts";

const dim = z
  .number()
  .int()
  .min(0)
  .max(2 ** 31 - 1);
const tensorParameters = z.looseObject({
  binary_data_size: z.number().int().nonnegative().optional(),
  shared_memory_region: z.unknown().optional(),
});
const inputTensor = z.looseObject({
  name: z.string(),
  shape: z.array(dim).max(16),
  datatype: z.string(),
  parameters: tensorParameters.nullish(),
  data: z.unknown().optional(),
});
const outputAsked = z.looseObject({
  name: z.string(),
  parameters: z.looseObject({ binary_data: z.boolean().optional(), classification: z.number().optional() }).nullish(),
});
/** Clients that write objects of theirs as JSON have null where nothing was set. */
const inferRequest = z.looseObject({
  id: z.string().nullish(),
  parameters: z.looseObject({ binary_data_output: z.boolean().optional() }).nullish(),
  inputs: z.array(inputTensor).min(1).max(64),
  outputs: z.array(outputAsked).max(64).nullish(),
});

/** One input of a request. */
export type InputTensor = z.infer<typeof inputTensor>;
/** A request as parsed; unknown keys are kept. */
export type InferRequest = z.infer<typeof inferRequest>;

/** Splits and parses a request. @throws FormatError for what is no request of the protocol. */
export function readRequest({ headers, body }: Incoming): { text: string; raw: Uint8Array; json: InferRequest } {
  const claimed = headers[JSON_LENGTH];
  const length = claimed === undefined ? body.length : /^\d{1,12}$/.test(claimed) ? Number(claimed) : Number.NaN;
  if (!(length >= 1 && length <= body.length)) {
    throw new FormatError(
      `request: expected ${JSON_LENGTH} from 1 to ${body.length}, got ${claimed === undefined ? "an empty body" : claimed.slice(0, 20)}.`,
    );
  }
  const text = textOf(body.subarray(0, length));
  return { text, raw: body.subarray(length), json: parseRequest(text) };
}

function parseRequest(text: string): InferRequest {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new FormatError("request: expected JSON, got other text.", { cause });
  }
  const parsed = inferRequest.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new FormatError(
    `request: expected an infer request, got ${issue?.path.join(".") || "JSON"}: ${issue?.message}.`,
  );
}

/** Text that is encoded again without loss. @throws FormatError when the bytes are no UTF-8. */
export function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new FormatError("request: expected UTF-8, got other bytes.", { cause });
  }
}
