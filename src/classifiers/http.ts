/** @file A classifier behind HTTP. The address decides the protocol, unless it is told. */
import { EndpointError, OptionError } from "../core/errors.ts";
import { sha256Hex } from "../core/hash.ts";
import { classifyInChunks } from "./chunks.ts";
import type { Classifier, ScoreKind } from "./classifier.ts";
import type { OpenEndpoint } from "./endpoint.ts";
import { createHttpClient, type Fetch, shownUrl } from "./http-client.ts";
import { checkImages, type Layout } from "./image-input.ts";
import { readModelConfig } from "./model-config.ts";
import { isOpenInference, openOpenInference } from "./open-inference.ts";
import { openPlainJson } from "./plain-json.ts";
import { type PreprocessingFlags, readPreprocessing } from "./preprocessing.ts";
import { createScoreReader } from "./score-reader.ts";
import { openTfServing } from "./tf-serving.ts";

/** Protocols by name. */
export const protocols = {
  "open-inference": openOpenInference,
  "tf-serving": openTfServing,
  "plain-json": openPlainJson,
} as const satisfies Record<string, OpenEndpoint>;

/** How an endpoint is reached and what is known about its model. */
export interface HttpClassifierOptions extends PreprocessingFlags {
  readonly fetch: Fetch;
  /** `auto` when left out: `/v2/models/NAME` is Open Inference, `…:predict` TensorFlow Serving, all else plain JSON. */
  readonly protocol?: "auto" | keyof typeof protocols | undefined;
  /** Milliseconds that one request may take; 30,000 when left out. */
  readonly timeout?: number | undefined;
  /** How often to try again when the connection fails or the server answers 429, 502, 503 or 504; 2 when left out. */
  readonly retries?: number | undefined;
  /** Milliseconds before the first retry, doubled for each further one, unless the server says; 250 when left out. */
  readonly backoff?: number | undefined;
  /** Images per request; 32 when left out. */
  readonly batch?: number | undefined;
  /** Sent with every request, for instance `authorization`. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Bytes that an answer may have; 64 MiB when left out. */
  readonly maxResponseBytes?: number | undefined;
  readonly layout?: Layout | undefined;
  readonly input?: string | undefined;
  readonly output?: string | undefined;
  /** What the scores are; looked at when left out. */
  readonly scores?: ScoreKind | undefined;
  /** Names of the classes; they also say how many there are. */
  readonly labels?: readonly string[] | undefined;
  /** Parsed `config.json`, where there is one. */
  readonly config?: unknown;
  /** Parsed `preprocessor_config.json`, where there is one. */
  readonly preprocessor?: unknown;
  /** Cancels opening. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Opens an endpoint. An endpoint is a black box that takes images in [0, 1] (bytes 0 to 255 where its input is uint8):
 * only flags or a `preprocessor` change that.
 * @throws OptionError for an impossible address or flag; EndpointError when the server cannot be asked about its model.
 */
export async function openHttpClassifier(address: string, options: HttpClassifierOptions): Promise<Classifier> {
  const { url, credentials } = parseAddress(address);
  const { timeout = 30_000, retries = 2, backoff = 250, batch = 32, maxResponseBytes = 2 ** 26 } = options;
  for (const [name, value, least] of [
    ["timeout", timeout, 1],
    ["retries", retries, 0],
    ["backoff", backoff, 0],
    ["batch", batch, 1],
    ["maxResponseBytes", maxResponseBytes, 1],
  ] as const) {
    if (!Number.isInteger(value) || value < least || value > 2 ** 31 - 1) {
      throw new OptionError(`${name}: expected an integer of at least ${least}, got ${value}.`);
    }
  }
  const config = readModelConfig(options.config);
  const labels = options.labels ?? config.labels;
  const headers = { ...credentials, ...options.headers };
  const client = createHttpClient({ fetch: options.fetch, timeout, retries, backoff, headers, maxResponseBytes });
  const settings = {
    preprocessing: readPreprocessing(options.preprocessor, options),
    layout: options.layout,
    input: options.input,
    output: options.output,
  };
  const endpoint = await protocolOf(url, options.protocol)(url, client, settings, options.signal);
  const fail = (sentence: string): Error => new EndpointError(sentence);
  const reader = createScoreReader({
    subject: shownUrl(url.href),
    wrongForm: fail,
    wrongValue: fail,
    kind: options.scores,
    classes: labels?.length ?? config.classes,
  });
  let calls = 0;
  return {
    async classify(images, signal) {
      checkImages(images.dims, endpoint.input);
      const size = endpoint.batch ?? batch;
      const scores = await classifyInChunks(
        images,
        size,
        async (chunk, first) => {
          const wanted = chunk.dims[0] ?? 0;
          const asked = endpoint.batch ?? wanted;
          const answer = await endpoint.infer(chunk, asked, signal);
          const rows = reader.read(answer, { asked, wanted, first });
          calls += wanted;
          return rows;
        },
        { signal, classes: () => reader.classes },
      );
      return { scores, kind: reader.kind ?? "logits" };
    },
    labels,
    input: endpoint.input,
    hash: sha256Hex(new TextEncoder().encode(url.href)),
    get calls() {
      return calls;
    },
    async dispose() {},
  };
}

function protocolOf(url: URL, protocol: HttpClassifierOptions["protocol"] = "auto"): OpenEndpoint {
  if (protocol !== "auto") return protocols[protocol];
  if (isOpenInference(url)) return openOpenInference;
  return url.pathname.endsWith(":predict") ? openTfServing : openPlainJson;
}

/** The address without user and password, which `fetch` refuses in an address, and the header that carries them. */
function parseAddress(address: string): { url: URL; credentials: Readonly<Record<string, string>> } {
  let url: URL;
  try {
    url = new URL(address);
  } catch {
    throw new OptionError(`classifier: expected an address such as http://HOST/PATH, got "${address.slice(0, 100)}".`);
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw new OptionError(`classifier: expected an address of http or https, got ${url.protocol.slice(0, 20)}`);
  }
  const { username, password } = url;
  url.username = "";
  url.password = "";
  if (username === "" && password === "") return { url, credentials: {} };
  const pair = new TextEncoder().encode(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`);
  return { url, credentials: { authorization: `Basic ${btoa(String.fromCharCode(...pair))}` } };
}
