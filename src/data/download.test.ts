import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { EndpointError, FormatError } from "../core/errors.ts";
import { sha256Hex } from "../core/hash.ts";
import { type Download, type DownloadSink, fetchFile } from "./download.ts";

const file = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 7919) >> 5);
const checksum = sha256Hex(file);

type Answer = (request: IncomingMessage, response: ServerResponse, attempt: number) => void;

/** A server on 127.0.0.1 that answers so; returns its address and the Range headers that it saw. */
async function serve(answer: Answer): Promise<{ url: string; ranges: (string | undefined)[] }> {
  const ranges: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    ranges.push(request.headers.range);
    answer(request, response, ranges.length);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/file.gz`, ranges };
}

/** Answers as a file server does: ranges, ETag, If-Range. Sends at most `most` bytes, then cuts the connection. */
function send(request: IncomingMessage, response: ServerResponse, most = Number.POSITIVE_INFINITY, tag = '"v1"'): void {
  const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
  const same = request.headers["if-range"] === undefined || request.headers["if-range"] === tag;
  const from = same ? start : 0;
  if (from >= file.length) {
    response.writeHead(416, { "content-range": `bytes */${file.length}` }).end();
    return;
  }
  const head = { etag: tag, "content-length": file.length - from, "content-type": "application/gzip" };
  if (from === 0) response.writeHead(200, head);
  else response.writeHead(206, { ...head, "content-range": `bytes ${from}-${file.length - 1}/${file.length}` });
  if (file.length - from <= most) response.end(file.subarray(from));
  else response.write(file.subarray(from, from + most), () => setTimeout(() => response.destroy(), 20));
}

function memorySink(start: Uint8Array = new Uint8Array(0)): DownloadSink & { bytes(): Uint8Array } {
  let pieces: Uint8Array[] = start.length === 0 ? [] : [start];
  return {
    existing: async function* () {
      yield* pieces;
    },
    write: async (piece) => void pieces.push(Uint8Array.from(piece)),
    restart: async () => {
      pieces = [];
    },
    bytes: () => Uint8Array.from(Buffer.concat(pieces)),
  };
}

const get = (url: string, sink: DownloadSink, options: Partial<Download> = {}): ReturnType<typeof fetchFile> =>
  fetchFile({ url, sink, fetch, limit: 1_000_000, sha256: checksum, pauseMs: 5, ...options });

describe("downloading", () => {
  it("writes the file, reports progress and its checksum", async () => {
    const { url } = await serve((request, response) => send(request, response));
    const sink = memorySink();
    const seen: [number, number | undefined][] = [];
    const result = await get(url, sink, { onProgress: (done, total) => seen.push([done, total]) });
    expect(result).toEqual({ bytes: file.length, sha256: checksum });
    expect(Buffer.compare(sink.bytes(), file)).toBe(0);
    expect(seen[0]).toEqual([0, file.length]);
    expect(seen.at(-1)).toEqual([file.length, file.length]);
  });

  it("goes on where the connection was cut", async () => {
    const { url, ranges } = await serve((request, response, attempt) =>
      send(request, response, attempt < 3 ? 100_000 : undefined),
    );
    const sink = memorySink();
    expect(await get(url, sink)).toEqual({ bytes: file.length, sha256: checksum });
    expect(Buffer.compare(sink.bytes(), file)).toBe(0);
    expect(ranges.length).toBe(3);
    expect(ranges[0]).toBeUndefined();
    expect(ranges[1]).toMatch(/^bytes=[1-9]\d*-$/);
  });

  it("goes on from what an earlier run left, also when that is everything", async () => {
    const { url, ranges } = await serve((request, response) => send(request, response));
    for (const size of [123_456, file.length]) {
      const sink = memorySink(file.slice(0, size));
      expect(await get(url, sink)).toEqual({ bytes: file.length, sha256: checksum });
      expect(Buffer.compare(sink.bytes(), file)).toBe(0);
    }
    expect(ranges).toEqual(["bytes=123456-", `bytes=${file.length}-`]);
  });

  it("starts again when the server knows no ranges, or the file changed in between", async () => {
    const plain = await serve((_, response) => response.end(file));
    const sink = memorySink(file.slice(0, 1000));
    await get(plain.url, sink);
    expect(Buffer.compare(sink.bytes(), file)).toBe(0);
    const changed = await serve((request, response, attempt) =>
      send(request, response, attempt === 1 ? 100_000 : undefined, `"v${attempt}"`),
    );
    const other = memorySink();
    await get(changed.url, other);
    expect(Buffer.compare(other.bytes(), file)).toBe(0);
  });

  it("starts again when more lies there than the file has", async () => {
    const { url } = await serve((request, response) => send(request, response));
    const sink = memorySink(new Uint8Array(file.length + 1));
    await get(url, sink);
    expect(Buffer.compare(sink.bytes(), file)).toBe(0);
  });

  it("checks MD5 where that is all there is", async () => {
    const { url } = await serve((request, response) => send(request, response));
    const md5 = createHash("md5").update(file).digest("hex");
    await get(url, memorySink(file.slice(0, 1000)), { sha256: undefined, md5 });
    const wrong = get(url, memorySink(), { sha256: undefined, md5: "0".repeat(32) });
    await expect(wrong).rejects.toThrow(`expected MD5 ${"0".repeat(32)}, got ${md5}. The download was thrown away.`);
  });

  it("throws away what has the wrong checksum", async () => {
    const { url } = await serve((request, response) => send(request, response));
    const sink = memorySink(new Uint8Array(1000));
    await expect(get(url, sink)).rejects.toThrow(`${url}: expected SHA-256 ${checksum}, got `);
    expect(sink.bytes().length).toBe(0);
    await expect(get(url, memorySink(), { sha256: "0".repeat(64) })).rejects.toBeInstanceOf(FormatError);
  });

  it("refuses pages, missing files and files that are too large", async () => {
    const page = await serve((_, response) =>
      response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end("<p>"),
    );
    await expect(get(page.url, memorySink())).rejects.toThrow(`${page.url}: expected a file, got an HTML page`);
    const missing = await serve((_, response) => response.writeHead(404).end());
    await expect(get(missing.url, memorySink())).rejects.toThrow(`${missing.url}: expected the file, got HTTP 404.`);
    expect(missing.ranges.length).toBe(1);
    const large = await serve((request, response) => send(request, response));
    await expect(get(large.url, memorySink(), { limit: 299_999 })).rejects.toThrow(
      `${large.url}: expected at most 299999 bytes, got a file of 300000.`,
    );
    const silent = await serve((_, response) => {
      response.write(file);
      response.end();
    });
    const sink = memorySink();
    await expect(get(silent.url, sink, { limit: 200_000 })).rejects.toThrow("expected at most 200000 bytes, got more");
    expect(sink.bytes().length).toBeLessThanOrEqual(200_000);
  });

  it("gives up after a few attempts on a server that fails, stalls or is not there", async () => {
    const busy = await serve((_, response) => response.writeHead(503).end());
    await expect(get(busy.url, memorySink(), { retries: 2 })).rejects.toThrow(
      `${busy.url}: expected the whole file, got HTTP 503 after 3 attempts.`,
    );
    expect(busy.ranges.length).toBe(3);
    const stalled = await serve((_, response) => void response.writeHead(200, { "content-length": 10 }).write("abc"));
    await expect(get(stalled.url, memorySink(), { retries: 0, stallMs: 50 })).rejects.toThrow("got nothing for 50 ms");
    await expect(get("http://127.0.0.1:1/x", memorySink(), { retries: 0 })).rejects.toThrow(/a network error/);
    await expect(get("http://127.0.0.1:1/x", memorySink(), { retries: 0 })).rejects.toBeInstanceOf(EndpointError);
  });

  it("stops when asked, and keeps what arrived", async () => {
    const controller = new AbortController();
    const { url } = await serve((_, response) => {
      response.writeHead(200, { "content-length": file.length });
      response.write(file.subarray(0, 50_000));
    });
    const sink = memorySink();
    const running = get(url, sink, {
      signal: controller.signal,
      onProgress: (done) => done > 0 && controller.abort(new Error("enough")),
    });
    await expect(running).rejects.toThrow("enough");
    expect(sink.bytes().length).toBeGreaterThan(0);
  });
});
