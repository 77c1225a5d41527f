/**
 * @file TensorFlow Serving's REST `predict`, also spoken by KServe (V1) and TorchServe: POST `{"instances": …}` with
 * channels last, answered by `predictions` (or `outputs`).
 * @source https://www.tensorflow.org/tfx/serving/api_rest
 */
import { EndpointError } from "../core/errors.ts";
import type { OpenEndpoint } from "./endpoint.ts";
import { makeFeed } from "./feed.ts";
import { jsonOf, shownUrl } from "./http-client.ts";
import { nestNumbers, readNumbers } from "./json.ts";
import { UNIT_RANGE } from "./preprocessing.ts";
import type { Answer } from "./score-reader.ts";

/** Opens a `:predict` address; nothing is asked beforehand, because metadata is an optional part of the protocol. */
export const openTfServing: OpenEndpoint = async (
  url,
  client,
  { preprocessing = UNIT_RANGE, layout = "NHWC", input, output },
) => ({
  input: {},
  batch: undefined,
  async infer(images, rows, signal) {
    const feed = makeFeed(images, { dtype: "float32", layout, preprocessing }, rows);
    const nested = nestNumbers(feed.data, feed.dims) as unknown[];
    const instances = input === undefined ? nested : nested.map((image) => ({ [input]: image }));
    const answer = await client.send(url.href, { body: JSON.stringify({ instances }), signal });
    return readPredictions(jsonOf(answer, "predictions"), output, shownUrl(url.href));
  },
});

/**
 * The scores of an answer.
 * @param output of several named ones; `logits`, else the first that is an array, when left out. @param subject who answered.
 * @throws EndpointError for anything but numbers.
 */
export function readPredictions(value: unknown, output: string | undefined, subject: string): Answer {
  const { predictions, outputs } = (value ?? {}) as { predictions?: unknown; outputs?: unknown };
  const found = predictions ?? outputs;
  if (found === undefined) {
    throw new EndpointError(`${subject}: expected "predictions", got ${JSON.stringify(value).slice(0, 100)}.`);
  }
  const [first] = Array.isArray(found) ? found : [found];
  const key = isObject(first) ? outputKey(first, output, subject) : undefined;
  const pick = (row: unknown): unknown => (key !== undefined && isObject(row) ? row[key] : row);
  // One object per image, or (columnar `outputs`) one object of whole outputs.
  const numbers = readNumbers(Array.isArray(found) ? found.map(pick) : pick(found));
  if (typeof numbers === "string") {
    throw new EndpointError(`${subject}: expected predictions of numbers, got ${numbers}.`);
  }
  return numbers;
}

/** Which of several named outputs holds the scores: the asked one, `logits`, else the first that is an array. */
function outputKey(row: Record<string, unknown>, output: string | undefined, subject: string): string {
  const key = output ?? ("logits" in row ? "logits" : Object.keys(row).find((name) => Array.isArray(row[name])));
  if (key === undefined || !Object.hasOwn(row, key)) {
    throw new EndpointError(
      `${subject}: expected the output ${key === undefined ? "with scores" : `"${key}"`}, got ${Object.keys(row).slice(0, 8).join(", ") || "none"}.`,
    );
  }
  return key;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
