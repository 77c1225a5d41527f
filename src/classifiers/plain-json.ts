/**
 * @file The protocol for servers of one's own: POST `{"images": [[[[…]]]]}` ([N, C, H, W] in [0, 1], unless flags say
 * otherwise) is answered by `{"scores": [[…]]}`, `{"probabilities": [[…]]}`, `{"logits": [[…]]}`, `{"labels": […]}` or a
 * bare array of rows or labels.
 */
import { EndpointError } from "../core/errors.ts";
import type { ScoreKind } from "./classifier.ts";
import type { OpenEndpoint } from "./endpoint.ts";
import { makeFeed } from "./feed.ts";
import { jsonOf, shownUrl } from "./http-client.ts";
import { nestNumbers, readNumbers } from "./json.ts";
import { UNIT_RANGE } from "./preprocessing.ts";
import type { Answer } from "./score-reader.ts";

/** Keys that an answer may have, with what they say about the numbers. */
const KEYS: readonly (readonly [key: string, kind: ScoreKind | undefined])[] = [
  ["scores", undefined],
  ["probabilities", "probabilities"],
  ["logits", "logits"],
  ["labels", "labels"],
];

/** Opens an endpoint that speaks plain JSON; nothing is asked beforehand. */
export const openPlainJson: OpenEndpoint = async (url, client, { preprocessing = UNIT_RANGE, layout = "NCHW" }) => ({
  input: {},
  batch: undefined,
  async infer(images, rows, signal) {
    const feed = makeFeed(images, { dtype: "float32", layout, preprocessing }, rows);
    const body = JSON.stringify({ images: nestNumbers(feed.data, feed.dims) });
    const answer = await client.send(url.href, { body, signal });
    return readAnswer(jsonOf(answer, "scores"), shownUrl(url.href));
  },
});

function readAnswer(value: unknown, subject: string): Answer {
  if (Array.isArray(value)) return numbersOf(value, "an array", subject);
  for (const [key, kind] of KEYS) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) continue;
    const answer = numbersOf((value as Record<string, unknown>)[key], key, subject);
    if (kind !== "labels" && answer.dims.length < 2) {
      throw new EndpointError(
        `${subject}: expected a row of ${key} per image, got ${answer.dims[0]} numbers without rows.`,
      );
    }
    return { ...answer, kind };
  }
  const got = typeof value === "object" && value !== null ? Object.keys(value).slice(0, 5).join(", ") : String(value);
  throw new EndpointError(`${subject}: expected "scores" or "labels", got ${got || "an empty object"}.`);
}

function numbersOf(value: unknown, what: string, subject: string): Answer {
  const numbers = readNumbers(value);
  if (typeof numbers === "string") throw new EndpointError(`${subject}: expected ${what} of numbers, got ${numbers}.`);
  return numbers;
}
