/** @file Answers of the Open Inference Protocol: those of a model that runs here, and two of a server joined into one. */
import { z } from "zod";
import { parseJson } from "../../classifiers/json.ts";
import { quoteServer } from "../../classifiers/server-words.ts";
import { EndpointError, OptionError } from "../../core/errors.ts";
import type { Float32Tensor } from "../../tensor/tensor.ts";
import { elementsOf, membersOf, type Span, splice, wholeOf } from "../json-spans.ts";
import type { InferRequest } from "./open-inference-request.ts";
import { JSON_LENGTH, message } from "./open-inference-wire.ts";
import type { Answered, Message, OwnAnswer } from "./protocol.ts";

/** Ending of the names of outputs for images as they came. */
export const UNPURIFIED = ".unpurified";

/** The one output of a model that runs here. */
export const OWN_OUTPUT = "probabilities";

/** The answer of a model here, in the form that the request asks for. @throws OptionError for outputs that there are not. */
export function encodeOutputs(request: InferRequest, answer: OwnAnswer): Message {
  const { model, probabilities, unpurified, note } = answer;
  const tensors: ReadonlyMap<string, Float32Tensor> = new Map([
    [OWN_OUTPUT, probabilities],
    ...(unpurified === undefined ? [] : ([[OWN_OUTPUT + UNPURIFIED, unpurified]] as const)),
  ]);
  const asked = request.outputs ?? [];
  for (const { name, parameters } of asked) {
    if (!tensors.has(name)) {
      throw new OptionError(`outputs: expected ${[...tensors.keys()].join(", ")}, got "${name.slice(0, 80)}".`);
    }
    if ((parameters?.classification ?? 0) !== 0) {
      throw new OptionError("outputs: expected no classification, got one. Do ask for the probabilities.");
    }
  }
  const raw: Uint8Array[] = [];
  const outputs = [...tensors].map(([name, { dims, data }]) => {
    const own = asked.find((output) => output.name === name)?.parameters?.binary_data;
    const head = { name, datatype: "FP32", shape: dims };
    if (!(own ?? request.parameters?.binary_data_output ?? false)) return { ...head, data: Array.from(data) };
    raw.push(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    return { ...head, parameters: { binary_data_size: data.byteLength } };
  });
  const json = {
    model_name: model,
    model_version: "1",
    ...(typeof request.id === "string" ? { id: request.id } : {}),
    ...(note === undefined ? {} : { parameters: { untrigger: note } }),
    outputs,
  };
  return message(JSON.stringify(json), raw);
}

const sized = z.looseObject({
  name: z.string(),
  parameters: z.looseObject({ binary_data_size: z.number().int().nonnegative().optional() }).nullish(),
});
const answerForm = z.looseObject({ outputs: z.array(sized) });

/** The first answer with the outputs of the second behind its own, under other names. */
export function joinAnswers(purified: Answered, unpurified: Answered, from: string): Message {
  const [first, second] = [split(purified, from), split(unpurified, from)];
  const added = second.outputs.map((span, i) => {
    const name = membersOf(second.text, span).get("name") as Span;
    const output = splice(second.text.slice(span.from, span.to), [
      { from: name.from - span.from, to: name.to - span.from, by: JSON.stringify(second.names[i] + UNPURIFIED) },
    ]);
    return `,${output}`;
  });
  const end = first.outputs.at(-1)?.to;
  if (end === undefined) throw new EndpointError(`upstream "${from}": expected outputs, got none.`);
  const text = splice(first.text, [{ from: end, to: end, by: added.join("") }]);
  const raw = [first.raw, second.raw].filter(({ length }) => length > 0);
  return message(text, raw);
}

/** @throws EndpointError when JSON and raw tensors are not those of an answer. */
export function checkOutputs(answer: Answered, from: string): void {
  split(answer, from);
}

function split(
  { headers, body }: Answered,
  from: string,
): { text: string; raw: Uint8Array; outputs: readonly Span[]; names: readonly string[] } {
  const claimed = headers[JSON_LENGTH];
  const length = claimed === undefined ? body.length : Number(claimed);
  if (!(length <= body.length)) {
    throw new EndpointError(`upstream "${from}": expected ${length} bytes of JSON, got ${body.length} bytes in all.`);
  }
  const text = new TextDecoder().decode(body.subarray(0, length));
  const parsed = answerForm.safeParse(parseJson(text)?.value);
  if (!parsed.success) {
    throw new EndpointError(
      `upstream "${from}": expected an answer with outputs, got ${quoteServer(text) || "nothing"}.`,
    );
  }
  const { outputs } = parsed.data;
  const raw = body.subarray(length);
  const sum = outputs.reduce((bytes, { parameters }) => bytes + (parameters?.binary_data_size ?? 0), 0);
  if (sum !== raw.length) {
    throw new EndpointError(`upstream "${from}": expected ${sum} bytes of raw tensors, got ${raw.length}.`);
  }
  const span = membersOf(text, wholeOf(text)).get("outputs") as Span;
  return { text, raw, outputs: elementsOf(text, span), names: outputs.map(({ name }) => name) };
}
