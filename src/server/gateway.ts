/** @file One request through the gateway: find its images, purify them, ask the model, answer as it answered. */

import { toProbabilities } from "../classifiers/probability.ts";
import { OptionError } from "../core/errors.ts";
import { answerOf } from "../jobs/answer.ts";
import { winners } from "../metrics/accuracy.ts";
import { softmaxShift } from "../metrics/suspicion.ts";
import { concatRows } from "../tensor/rows.ts";
import type { Float32Tensor } from "../tensor/tensor.ts";
import type { PurifiedImages } from "./image-purifier.ts";
import { inflateBody } from "./inflate.ts";
import type { Observer } from "./metrics.ts";
import { type Note, noteText } from "./note.ts";
import type { Answered, FoundImages, Incoming, Message, Protocol } from "./protocols/protocol.ts";
import { Refusal } from "./refusal.ts";
import type { ServedModel } from "./served-model.ts";
import { endToEndRaw, type ForwardAnswer, type Upstream } from "./upstream.ts";

/** A request for an answer of a model. */
export interface InferExchange {
  readonly protocol: Protocol;
  /** The name that the client used. */
  readonly name: string;
  /** The name under which it is configured: clients must not make up names for counters. */
  readonly entry: string;
  readonly model: ServedModel;
  readonly upstream: Upstream | undefined;
  /** Path with query, as it is forwarded. */
  readonly path: string;
  readonly headers: Incoming["headers"];
  readonly rawHeaders: readonly string[];
  /** As it came, perhaps compressed. */
  readonly body: Uint8Array;
  /** Headers that are not forwarded, in lower case. */
  readonly secret: ReadonlySet<string>;
  readonly signal: AbortSignal;
}

/** What a client gets. */
export interface Reply extends ForwardAnswer {
  readonly note: Note;
}

/** Headers that describe a body; they go when another body takes its place. */
const BODY_HEADERS = ["content-type", "content-encoding", "inference-header-content-length"];

/**
 * Answers one request by the policy of its model.
 * @throws Refusal and ToolkitError for requests that are refused and models that fail; the signal's reason.
 */
export async function infer(exchange: InferExchange, observer: Observer): Promise<Reply> {
  const { model, name, upstream, signal } = exchange;
  const { policy } = model.config;
  if (policy === "pass" && upstream !== undefined) {
    const answer = await observer.time("upstream", (context) =>
      upstream.forward({
        method: "POST",
        path: exchange.path,
        headers: [...endToEndRaw(exchange.rawHeaders, exchange.secret), ...context],
        body: exchange.body,
        signal,
      }),
    );
    return { ...answer, note: { policy, model: name } };
  }
  const seed = seedOf(exchange);
  const request: Incoming = {
    headers: exchange.headers,
    body: await inflateBody(exchange.body, exchange.headers["content-encoding"], model.limits.bodyBytes),
  };
  const found = await observer.time("decode", () => exchange.protocol.decode(request, model.form));
  const { purifier } = model;
  const purified = purifier && (await observer.time("purify", () => purifier.purify(found.images, seed, signal)));
  const run: Run = { exchange, request, found, purified, seed, observer };
  return upstream === undefined ? await answerHere(run) : await answerThere(run, upstream);
}

interface Run {
  readonly exchange: InferExchange;
  readonly request: Incoming;
  readonly found: FoundImages;
  /** Absent under the policy `pass`. */
  readonly purified: PurifiedImages | undefined;
  readonly seed: number;
  readonly observer: Observer;
}

function seedOf({ headers, model }: InferExchange): number {
  const asked = headers["untrigger-seed"];
  if (asked === undefined || model.purifier === undefined) return model.config.seed;
  if (!model.config.clientSeed) {
    throw new Refusal("denied", "untrigger-seed: expected none, because this model's seed is the gateway's, got one.");
  }
  const seed = /^\d{1,16}$/.test(asked) ? Number(asked) : Number.NaN;
  if (Number.isSafeInteger(seed)) return seed;
  throw new OptionError(`untrigger-seed: expected an integer from 0, got "${asked.slice(0, 40)}".`);
}

/** The answer of a classifier that runs here. */
async function answerHere({ exchange, request, found, purified, seed, observer }: Run): Promise<Reply> {
  const { model, protocol, name, signal } = exchange;
  const { policy, answer: rule } = model.config;
  if (purified === undefined) {
    const probabilities = await observer.time("classify", () => model.classify(found.images, signal));
    const note: Note = { policy, model: name, images: found.images.dims[0] };
    return replyOf(protocol.encodeAnswer(request, ownAnswer(exchange, { probabilities, note })), note);
  }
  const { rows } = purified;
  const [before, after] = [stacked(rows.map((row) => row.before)), stacked(rows.map((row) => row.after))];
  const suspicion = rows.map((row) => row.suspicion);
  const threshold = model.threshold ?? Number.POSITIVE_INFINITY;
  const note = noteOf({ exchange, purified, seed, suspicion, changed: changes(before, after) });
  const probabilities = policy === "detect" ? before : answerOf({ before, after, suspicion }, { rule, threshold });
  const unpurified = policy === "compare" ? before : undefined;
  observer.judged(exchange.entry, note);
  return replyOf(protocol.encodeAnswer(request, ownAnswer(exchange, { probabilities, unpurified, note })), note);
}

function ownAnswer(
  { name, model }: InferExchange,
  given: {
    readonly probabilities: Float32Tensor;
    readonly unpurified?: Float32Tensor | undefined;
    readonly note: Note;
  },
): Parameters<Protocol["encodeAnswer"]>[1] {
  const { probabilities, unpurified, note } = given;
  return { model: name, labels: model.classifier?.labels, probabilities, unpurified, note: noteText(note) };
}

function replyOf({ headers, body }: Message, note: Note): Reply {
  return { status: 200, headers, body, note };
}

/** The answer of the upstream to purified images, and under `compare` and `detect` to the others, too. */
async function answerThere(run: Run, upstream: Upstream): Promise<Reply> {
  const { exchange, found, seed, observer } = run;
  const { model, protocol } = exchange;
  const { policy } = model.config;
  const purified = run.purified as PurifiedImages;
  const replaced = await observer.time("encode", () =>
    found.replace(concatRows(purified.rows.map(({ image }) => image))),
  );
  const kept = endToEndRaw(exchange.rawHeaders, new Set([...exchange.secret, ...BODY_HEADERS]));
  const send = (headers: readonly string[], body: Uint8Array): Promise<ForwardAnswer> =>
    observer.time("upstream", (context) =>
      upstream.forward({
        method: "POST",
        path: exchange.path,
        headers: [...headers, ...context],
        body,
        signal: exchange.signal,
      }),
    );
  const clean = send([...kept, ...Object.entries(replaced.headers).flat()], replaced.body);
  const weak = purified.rows.map(({ suspicion }) => suspicion);
  if (policy === "purify") {
    const answer = await clean;
    if (isFine(answer)) protocol.checkAnswer(await opened(answer, model), upstream.name);
    const note = noteOf({ exchange, purified, seed, suspicion: weak, changed: null });
    observer.judged(exchange.entry, note);
    return { ...answer, note };
  }
  const asItCame = send(endToEndRaw(exchange.rawHeaders, exchange.secret), exchange.body);
  const [first, second] = await Promise.all([clean, asItCame]);
  const failed = [first, second].find((answer) => !isFine(answer));
  if (failed !== undefined) {
    return { ...failed, note: noteOf({ exchange, purified, seed, suspicion: weak, changed: null }) };
  }
  const [after, before] = [await opened(first, model), await opened(second, model)];
  const n = found.images.dims[0] ?? 0;
  const read = (answer: Answered): Float32Tensor => {
    const scores = model.scores.read(protocol.readScores(answer, upstream.name), { asked: n, wanted: n, first: 0 });
    return toProbabilities({ scores, kind: model.scores.kind ?? "logits" });
  };
  const [scoresAfter, scoresBefore] = [read(after), read(before)];
  const suspicion = [...softmaxShift(scoresBefore, [scoresAfter])];
  const note = noteOf({ exchange, purified, seed, suspicion, changed: changes(scoresBefore, scoresAfter) });
  observer.judged(exchange.entry, note);
  if (policy === "detect") return { ...second, note };
  if (protocol.join === undefined) return { ...first, note };
  const joined = protocol.join(after, before, upstream.name);
  const others = Object.entries(first.headers).filter(([header]) => !BODY_HEADERS.includes(header));
  return {
    status: first.status,
    headers: { ...Object.fromEntries(others), ...joined.headers },
    body: joined.body,
    note,
  };
}

function isFine({ status }: ForwardAnswer): boolean {
  return status >= 200 && status < 300;
}

/** An answer with its body unpacked. */
async function opened({ status, headers, body }: ForwardAnswer, { limits }: ServedModel): Promise<Answered> {
  const single = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value[0] : value]),
  );
  try {
    return { status, headers: single, body: await inflateBody(body, single["content-encoding"], limits.answerBytes) };
  } catch (cause) {
    throw new Refusal("upstream", "upstream: expected an answer that unpacks, got one that does not.", { cause });
  }
}

function noteOf(facts: {
  readonly exchange: InferExchange;
  readonly purified: PurifiedImages;
  readonly seed: number;
  readonly suspicion: readonly number[];
  readonly changed: readonly boolean[] | null;
}): Note {
  const { exchange, purified, seed, suspicion, changed } = facts;
  const { config, plan, threshold } = exchange.model;
  return {
    policy: config.policy,
    model: exchange.name,
    method: config.method,
    preset: plan?.preset,
    seed,
    images: suspicion.length,
    cached: purified.cached,
    suspicion,
    flagged: threshold === undefined ? null : suspicion.map((value) => value > threshold),
    changed,
  };
}

function changes(before: Float32Tensor, after: Float32Tensor): boolean[] {
  const [first, second] = [winners(before), winners(after)];
  return Array.from(first, (label, i) => label !== second[i]);
}

function stacked(rows: readonly (Float32Tensor | undefined)[]): Float32Tensor {
  return concatRows(rows as readonly Float32Tensor[]);
}
