/** @file What the gateway says no with: a status, a code and one sentence. Protocols give it their own form. */
import { errorCodes, ToolkitError } from "../core/errors.ts";

/** Codes that only a server has, with their status. The others are {@link errorCodes}. */
const serverCodes = {
  unauthorised: 401,
  denied: 403,
  unknown: 404,
  method: 405,
  conflict: 409,
  slow: 408,
  "too-large": 413,
  encoding: 415,
  busy: 429,
  headers: 431,
  upstream: 502,
  stopping: 503,
  away: 503,
  late: 504,
} as const;

/** Codes of a refusal. */
export type RefusalCode = keyof typeof errorCodes | keyof typeof serverCodes;

/** A request that is not answered. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly code: RefusalCode;
  readonly status: number;
  /** Seconds after which asking again may help. */
  readonly retryAfter: number | undefined;

  constructor(code: keyof typeof serverCodes, sentence: string, options: ErrorOptions & { retryAfter?: number } = {}) {
    super(sentence, options);
    this.code = code;
    this.status = serverCodes[code];
    this.retryAfter = options.retryAfter;
  }
}

/** What is told about an error: never the words of one that nobody expected. */
export interface Told {
  readonly status: number;
  readonly code: RefusalCode;
  readonly sentence: string;
  readonly retryAfter?: number | undefined;
}

/** The sentence and status of anything that was thrown. */
export function toldOf(error: unknown): Told {
  if (error instanceof Refusal) {
    const { status, code, message, retryAfter } = error;
    return { status, code, sentence: message, retryAfter };
  }
  if (error instanceof ToolkitError) {
    return { status: errorCodes[error.code].status, code: error.code, sentence: oneLine(error.message) };
  }
  return {
    status: 500,
    code: "runtime-failure",
    sentence: "internal: the request could not be answered; see the log.",
  };
}

function oneLine(text: string): string {
  return text.trim().replaceAll(/\s*\n\s*/g, " ");
}
