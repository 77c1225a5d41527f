/**
 * @file Talks to a model server: time limits, retries, bounded answers, and one sentence for everything that can go
 * wrong. The `fetch` is given by the caller.
 */
import { EndpointError, messageOf } from "../core/errors.ts";
import { pause } from "../core/pause.ts";
import { parseJson } from "./json.ts";
import { readBody } from "./read-body.ts";
import { quoteServer, titleOfHtml } from "./server-words.ts";

/** The platform's `fetch`, or one that behaves like it. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** Patience, identity and limits of a client. */
export interface HttpClientOptions {
  readonly fetch: Fetch;
  /** Milliseconds that one request may take, its answer included. */
  readonly timeout: number;
  /** How often a request is sent again when the connection fails or the server is busy. */
  readonly retries: number;
  /** Milliseconds before the first retry; doubled for each further one. */
  readonly backoff: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Bytes that an answer may have. */
  readonly maxResponseBytes: number;
}

/** A request. */
export interface HttpRequest {
  /** JSON text or bytes to POST; a GET without. */
  readonly body?: string | Uint8Array<ArrayBuffer> | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** An answer whose status may be anything but "try again". */
export interface HttpAnswer {
  readonly url: string;
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Uint8Array;
}

/** Sends requests. */
export interface HttpClient {
  /**
   * Sends one request, again where that may help.
   * @throws EndpointError when the server is down, slow, busy for good, or answers too much; the signal's reason.
   */
  send(url: string, request?: HttpRequest): Promise<HttpAnswer>;
}

/** Statuses of a server that may be well a moment later. */
const BUSY = [429, 502, 503, 504];
/** Longest wait that a `Retry-After` may ask for. */
const LONGEST_WAIT = 30_000;

/** Makes a client. */
export function createHttpClient(options: HttpClientOptions): HttpClient {
  const { retries, backoff } = options;
  return {
    async send(url, request = {}) {
      for (let attempt = 0; ; attempt++) {
        const last = attempt >= retries;
        const outcome = await sendOnce(url, request, options);
        if ("failure" in outcome) {
          if (last) throw unreachable(url, outcome.failure, attempt + 1);
        } else if (last || !BUSY.includes(outcome.status)) {
          return outcome;
        }
        const asked = "failure" in outcome ? undefined : retryAfter(outcome.headers.get("retry-after"));
        if (asked !== undefined && asked > LONGEST_WAIT && !("failure" in outcome)) return outcome;
        await pause(asked ?? backoff * 2 ** attempt, request.signal);
      }
    },
  };
}

/**
 * The JSON of an answer.
 * @throws EndpointError for statuses other than 2xx, with the server's own words, and for anything that is not JSON.
 */
export function jsonOf(answer: HttpAnswer, expected: string): unknown {
  refuseStatus(answer, expected);
  return parseAnswer(answer, answer.bytes, expected);
}

/**
 * JSON of a part of an answer.
 * @throws EndpointError for HTML and for anything else that is not JSON.
 */
export function parseAnswer({ url }: HttpAnswer, bytes: Uint8Array, expected: string): unknown {
  const text = new TextDecoder().decode(bytes);
  const title = titleOfHtml(text);
  if (title !== undefined) {
    throw new EndpointError(
      `${shownUrl(url)}: expected ${expected} as JSON, got an HTML page${title}. Do check the address.`,
    );
  }
  const parsed = parseJson(text);
  if (parsed === undefined) {
    throw new EndpointError(`${shownUrl(url)}: expected ${expected} as JSON, got ${quoteServer(text) || "nothing"}.`);
  }
  return parsed.value;
}

/** @throws EndpointError for statuses other than 2xx, with the server's own words. */
export function refuseStatus({ url, status, bytes }: HttpAnswer, expected: string): void {
  if (status >= 200 && status < 300) return;
  const words = quoteServer(new TextDecoder().decode(bytes));
  const because = words === "" ? "" : `; because ${words}`;
  const advice = status === 413 ? " Do send smaller batches." : status === 404 ? " Do check the address." : "";
  throw new EndpointError(`${shownUrl(url)}: expected ${expected}, got HTTP status ${status}${because}.${advice}`);
}

/** An address without what may be secret: user, password, query. */
export function shownUrl(url: string): string {
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname}`;
}

interface Failure {
  readonly failure: unknown;
}

/** One request: its answer, or why the connection failed. */
async function sendOnce(
  url: string,
  { body, headers, signal }: HttpRequest,
  { fetch, timeout, headers: common, maxResponseBytes }: HttpClientOptions,
): Promise<HttpAnswer | Failure> {
  signal?.throwIfAborted();
  const late = AbortSignal.timeout(timeout);
  try {
    const response = await fetch(url, {
      method: body === undefined ? "GET" : "POST",
      headers: { accept: "application/json", ...(typeof body === "string" && JSON_TYPE), ...common, ...headers },
      signal: signal === undefined ? late : AbortSignal.any([signal, late]),
      ...(body === undefined ? {} : { body }),
    });
    const bytes = await readBody(response, maxResponseBytes);
    if (bytes === undefined) {
      throw new EndpointError(
        `${shownUrl(url)}: expected an answer of at most ${maxResponseBytes} bytes, got more. Do send smaller batches.`,
      );
    }
    return { url, status: response.status, headers: response.headers, bytes };
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof EndpointError) throw error;
    // Sending it again would only double the wait: a server that is slow is slow for this batch.
    if (late.aborted) {
      throw new EndpointError(
        `${shownUrl(url)}: expected an answer within ${timeout / 1000} s, got none. Do raise the time limit or send smaller batches.`,
        { cause: error },
      );
    }
    return { failure: error };
  }
}

const JSON_TYPE = { "content-type": "application/json" };

function unreachable(url: string, failure: unknown, tries: number): EndpointError {
  const times = tries === 1 ? "in 1 try" : `in ${tries} tries`;
  return new EndpointError(
    `${shownUrl(url)}: expected an answer, got no connection ${times}; because ${reasonOf(failure)}. Do check the address and that the server runs.`,
    { cause: failure },
  );
}

/** `fetch failed` says nothing; its causes do. */
function reasonOf(failure: unknown): string {
  const { cause } = failure instanceof Error ? failure : { cause: undefined };
  if (!(cause instanceof Error)) return messageOf(failure);
  const code = "code" in cause && typeof cause.code === "string" ? cause.code : "";
  return cause.message.includes(code) && cause.message !== "" ? cause.message : `${code} ${cause.message}`.trim();
}

/** Milliseconds that a `Retry-After` header asks to wait: seconds, or a date. */
function retryAfter(value: string | null): number | undefined {
  if (value === null) return undefined;
  const milliseconds = /^\s*\d+\s*$/.test(value) ? 1000 * Number(value) : Date.parse(value) - Date.now();
  return Number.isFinite(milliseconds) ? Math.max(milliseconds, 0) : undefined;
}
