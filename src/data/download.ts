/**
 * @file Downloads one file over a given `fetch` into a given sink: resumed where it was cut off, bounded in size and
 * time, verified by its checksum. Where the bytes go, and that they appear whole, is the sink's business.
 */
import { md5 } from "@noble/hashes/legacy.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { EndpointError, FormatError, messageOf } from "../core/errors.ts";
import { pause } from "../core/pause.ts";

/** Where a download is written. */
export interface DownloadSink {
  /** What an earlier, interrupted download left here, in order. */
  existing(): AsyncIterable<Uint8Array>;
  /** Appends. */
  write(piece: Uint8Array): Promise<void>;
  /** Forgets what is there. */
  restart(): Promise<void>;
}

/** One file to download. */
export interface Download {
  readonly url: string;
  readonly fetch: typeof globalThis.fetch;
  readonly sink: DownloadSink;
  /** Most bytes that are accepted. */
  readonly limit: number;
  /** Lower-case hexadecimal checksums that the whole file must have. */
  readonly sha256?: string | undefined;
  readonly md5?: string | undefined;
  /** Called with the bytes so far and, where the server says it, the size of the file. */
  readonly onProgress?: ((done: number, total: number | undefined) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** How often to try again after a cut connection or a busy server; 3 when left out. */
  readonly retries?: number;
  /** Milliseconds to wait before the first retry, doubled each time; 500 when left out. */
  readonly pauseMs?: number;
  /** Milliseconds without a byte after which a connection counts as cut; 30,000 when left out. */
  readonly stallMs?: number;
}

/** What has arrived so far. */
interface Progress {
  done: number;
  hash: ReturnType<typeof sha256.create>;
  old: ReturnType<typeof md5.create>;
  /** The version of the file that is being downloaded, as the server names it. */
  version: string | undefined;
}

/** A failure that another attempt may get over. */
class Interruption extends Error {}

/**
 * Downloads a file, going on where an earlier attempt stopped.
 * @returns size and SHA-256 of the whole file.
 * @throws EndpointError when the server cannot be reached, keeps failing, or answers with an error or an HTML page;
 * FormatError when the file is larger than the limit or has another checksum (the sink is then empty); the signal's
 * reason when it is aborted (the sink then keeps what arrived).
 */
export async function fetchFile(download: Download): Promise<{ bytes: number; sha256: string }> {
  const { url, sink, signal, retries = 3, pauseMs = 500 } = download;
  const progress: Progress = { done: 0, hash: sha256.create(), old: md5.create(), version: undefined };
  for await (const piece of sink.existing()) count(progress, piece, download);
  for (let attempt = 0; ; attempt++) {
    signal?.throwIfAborted();
    try {
      await transfer(download, progress);
      break;
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof Interruption)) throw error;
      if (attempt >= retries) {
        throw new EndpointError(
          `${url}: expected the whole file, got ${error.message} after ${attempt + 1} attempts.`,
          {
            cause: error,
          },
        );
      }
      await pause(pauseMs * 2 ** attempt, signal);
    }
  }
  const actual = bytesToHex(progress.hash.digest());
  const checks = [
    ["SHA-256", download.sha256, actual],
    ["MD5", download.md5, download.md5 === undefined ? undefined : bytesToHex(progress.old.digest())],
  ] as const;
  for (const [kind, expected, got] of checks) {
    if (expected === undefined || got === expected) continue;
    await sink.restart();
    throw new FormatError(`${url}: expected ${kind} ${expected}, got ${got}. The download was thrown away.`);
  }
  return { bytes: progress.done, sha256: actual };
}

/** Adds a piece to what has arrived. */
function count(progress: Progress, piece: Uint8Array, { md5: wanted }: Download): void {
  progress.hash.update(piece);
  if (wanted !== undefined) progress.old.update(piece);
  progress.done += piece.length;
}

/** One request; appends what arrives. */
async function transfer(download: Download, progress: Progress): Promise<void> {
  const { url, limit, stallMs = 30_000, signal } = download;
  const watchdog = new AbortController();
  let timer = setTimeout(() => undefined, 0);
  const stillAlive = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => watchdog.abort(), stallMs);
  };
  try {
    stillAlive();
    const response = await download.fetch(url, {
      headers: rangeHeaders(progress),
      signal: signal === undefined ? watchdog.signal : AbortSignal.any([signal, watchdog.signal]),
    });
    const total = await begin(response, download, progress);
    if (total === "complete") return;
    if (total !== undefined && total > limit) {
      throw new FormatError(`${url}: expected at most ${limit} bytes, got a file of ${total}.`);
    }
    download.onProgress?.(progress.done, total);
    for await (const piece of piecesOf(response)) {
      stillAlive();
      if (progress.done + piece.length > limit) {
        throw new FormatError(`${url}: expected at most ${limit} bytes, got more.`);
      }
      await download.sink.write(piece);
      count(progress, piece, download);
      download.onProgress?.(progress.done, total);
    }
    if (total !== undefined && progress.done < total) {
      throw new Interruption(`${progress.done} of ${total} bytes`);
    }
  } catch (error) {
    if (error instanceof FormatError || error instanceof EndpointError || error instanceof Interruption) throw error;
    if (watchdog.signal.aborted) throw new Interruption(`nothing for ${stallMs} ms`);
    if (!(error instanceof TypeError)) throw error;
    // `fetch` reports every trouble of the network as a TypeError, with the reason inside.
    throw new Interruption(`a network error (${messageOf(error.cause ?? error)})`, { cause: error });
  } finally {
    clearTimeout(timer);
    watchdog.abort();
  }
}

/** Asks for the rest of the file, and for all of it when it changed in the meantime. */
function rangeHeaders({ done, version }: Progress): Record<string, string> {
  // A compressed transfer would make ranges and sizes mean something else.
  const headers = { "accept-encoding": "identity" };
  if (done === 0) return headers;
  const range = { ...headers, range: `bytes=${done}-` };
  return version === undefined ? range : { ...range, "if-range": version };
}

/**
 * Looks at the head of an answer and brings the sink to where its body goes on.
 * @returns the size of the whole file where it is known, or "complete" when there is nothing left to fetch.
 */
async function begin(
  response: Response,
  { url, sink }: Download,
  progress: Progress,
): Promise<number | "complete" | undefined> {
  const { status, headers } = response;
  const restart = async (): Promise<void> => {
    await sink.restart();
    progress.done = 0;
    progress.hash = sha256.create();
    progress.old = md5.create();
    progress.version = undefined;
  };
  const range = /^bytes (?:(\d+)-\d+|\*)\/(\d+|\*)$/.exec(headers.get("content-range") ?? "");
  const whole = range?.[2] === undefined || range[2] === "*" ? undefined : Number(range[2]);
  if (status === 416 && progress.done > 0) {
    if (whole === progress.done) return "complete";
    await restart();
    throw new Interruption("another file than before");
  }
  if (status === 408 || status === 429 || status >= 500) throw new Interruption(`HTTP ${status}`);
  if (status !== 200 && status !== 206) throw new EndpointError(`${url}: expected the file, got HTTP ${status}.`);
  if (/^text\/html\b/i.test(headers.get("content-type") ?? "")) {
    throw new EndpointError(`${url}: expected a file, got an HTML page. Open the address in a browser to see why.`);
  }
  if (status === 206 && Number(range?.[1]) !== progress.done) {
    await restart();
    throw new Interruption("another part of the file");
  }
  if (status === 200 && progress.done > 0) await restart();
  const tag = headers.get("etag");
  // A weak tag promises no equal bytes.
  progress.version = tag === null || tag.startsWith("W/") ? undefined : tag;
  if (status === 206) return whole;
  const length = headers.get("content-length");
  return length === null || headers.has("content-encoding") ? undefined : Number(length);
}

async function* piecesOf(response: Response): AsyncGenerator<Uint8Array> {
  if (response.body === null) return;
  const reader = response.body.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
}
