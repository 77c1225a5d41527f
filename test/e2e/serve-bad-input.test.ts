/** @file What strangers send, and what servers do: each gets a refusal in the protocol's form, and the next request is fine. */

import { request as httpRequest } from "node:http";
import type { AddressInfo } from "node:net";
import { connect, createServer, type Server, type Socket } from "node:net";
import { deflateSync, gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { crc32 } from "../../src/images/kernels.ts";
import type { RunningGateway } from "../../src/server/start.ts";
import { rowsOf } from "../../src/tensor/rows.ts";
import { FASHION, gateway, lastingGateway, QUICK } from "../support/gateway.ts";
import { binaryRequest, bytesOf, type Inferred, jsonRequest, post } from "../support/infer.ts";
import { shippedPictures } from "../support/shipped-pictures.ts";

const { images } = await shippedPictures(`${FASHION.classifier}/images`);
const one = rowsOf(images, 0, 1);
const MEBI = 2 ** 20;

let guard: RunningGateway;
let url: string;
beforeAll(async () => {
  guard = await lastingGateway({
    models: { m: { ...FASHION, ...QUICK } },
    limits: { bodyBytes: MEBI, headersMs: 400, requestMs: 800, pixels: 100_000, images: 16 },
  });
  url = `${guard.address}/v2/models/m/infer`;
});
afterEach(async () => {
  const { status, json } = await post(url, jsonRequest(one));
  expect(status, json.error).toBe(200);
});
afterAll(async () => {
  await guard.close();
});

/** Is a refusal of the protocol: a status of the client's fault, one sentence as `error`, and the code in the note. */
function expectRefused(answer: Inferred, status: number, words: string): void {
  expect(answer.json.error ?? answer.body.toString()).toContain(words);
  expect(answer.status).toBe(status);
  expect(Object.keys(answer.json)).toEqual(["error"]);
  expect(answer.note.refused).toBeTypeOf("string");
}

const tensor = (over: object): string =>
  JSON.stringify({
    inputs: [{ name: "x", shape: [1, 1, 28, 28], datatype: "FP32", data: Array.from(one.data), ...over }],
  });

describe("requests that are none", () => {
  test.each([
    ["not JSON", "{", 422, "expected JSON"],
    ["nothing", "", 422, "an empty body"],
    ["null", "null", 422, "expected an infer request"],
    ["no inputs", '{"inputs":[]}', 422, "inputs"],
    ["two inputs", `{"inputs":[${"{}"},{}]}`, 422, "inputs.0.name"],
    ["no UTF-8", Uint8Array.of(0x7b, 0xff, 0x7d), 422, "expected UTF-8"],
    ["text for numbers", tensor({ data: "pixels" }), 422, "expected numbers"],
    ["null among numbers", tensor({ data: [null] }), 422, "expected numbers"],
    ["too few numbers", tensor({ data: [1, 2] }), 400, "expected 784 numbers for [1, 1, 28, 28], got 2"],
    ["ragged rows", tensor({ data: [[1, 2], [3]] }), 422, "expected numbers"],
    ["deep nesting", `{"inputs":${"[".repeat(50_000)}${"]".repeat(50_000)}}`, 422, "inputs.0"],
    ["three axes", tensor({ shape: [1, 28, 28] }), 400, "expected images of 4 axes"],
    ["a negative axis", tensor({ shape: [-1, 1, 28, 28] }), 422, "shape.0"],
    ["a huge axis", tensor({ shape: [2 ** 31, 1, 28, 28] }), 422, "shape.0"],
    ["huge axes", tensor({ shape: [2 ** 30, 2 ** 30, 2 ** 30, 2 ** 30] }), 400, "expected"],
    ["no image", tensor({ shape: [0, 1, 28, 28], data: [] }), 400, "at least one image"],
    [
      "too many images",
      tensor({ shape: [17, 1, 28, 28], data: new Array(17 * 784).fill(0) }),
      400,
      "at most 16 images",
    ],
    [
      "another size",
      tensor({ shape: [1, 1, 32, 32], data: new Array(1024).fill(0) }),
      400,
      "1 channel of 28 x 28 pixels, got 1 channel of 32 x 32",
    ],
    [
      "another number of channels",
      tensor({ shape: [1, 3, 28, 28], data: new Array(3 * 784).fill(0) }),
      400,
      "got 3 channels",
    ],
    [
      "numbers that are no pixels",
      tensor({ data: new Array(784).fill(200) }),
      422,
      "pixels from 0 to 1, got 200 at position 0",
    ],
    [
      "a datatype without pixels",
      tensor({ datatype: "INT64" }),
      422,
      "datatype FP32, FP64, FP16, UINT8, BYTES, got INT64",
    ],
    ["a datatype by a name of JavaScript", tensor({ datatype: "constructor" }), 422, "got constructor"],
    ["halves in JSON", tensor({ datatype: "FP16" }), 422, "FP16 in JSON"],
    [
      "shared memory",
      JSON.stringify({
        inputs: [
          {
            name: "x",
            shape: [1, 1, 28, 28],
            datatype: "FP32",
            parameters: { shared_memory_region: "r", shared_memory_byte_size: 3136 },
          },
        ],
      }),
      422,
      "expected data, or binary_data_size",
    ],
    [
      "a key twice",
      `{"inputs":[{"name":"x","shape":[1,1,28,28],"datatype":"FP32","data":[${[...one.data]}],"data":[${[...one.data]}]}]}`,
      422,
      '"data" twice',
    ],
    [
      "an output that there is not",
      JSON.stringify({ ...JSON.parse(tensor({})), outputs: [{ name: "logits" }] }),
      400,
      'expected probabilities, got "logits"',
    ],
    [
      "a picture that is none",
      JSON.stringify({ inputs: [{ name: "x", shape: [1], datatype: "BYTES", data: ["aGVsbG8gd29ybGQ="] }] }),
      422,
      "expected a PNG, JPEG, WebP or TIFF picture",
    ],
    [
      "text that is no base64",
      JSON.stringify({ inputs: [{ name: "x", shape: [1], datatype: "BYTES", data: ["?"] }] }),
      422,
      "expected base64",
    ],
  ])("%s", async (_what, body, status, words) => {
    expectRefused(await post(url, body as string), status, words);
  });

  test.each([
    [
      "more JSON than body",
      { "inference-header-content-length": "99999999" },
      "expected inference-header-content-length from 1",
    ],
    ["a length that is none", { "inference-header-content-length": "-1" }, "got -1"],
    ["a raw request without JSON", { "inference-header-content-length": "0" }, "got 0"],
    ["bytes that do not unpack", { "content-encoding": "gzip" }, "expected gzip"],
  ])("%s", async (_what, headers, words) => {
    expectRefused(await post(url, jsonRequest(one), headers), 422, words);
  });

  test("raw tensors of another size", async () => {
    const good = { name: "x", shape: [1, 1, 28, 28], datatype: "FP32", raw: bytesOf(one.data) };
    const { body, headers } = binaryRequest([good]);
    expectRefused(
      await post(url, body.subarray(0, -4), headers),
      422,
      "expected 3136 bytes of raw tensors behind the JSON, got 3132",
    );
    const short = binaryRequest([{ ...good, raw: bytesOf(one.data.subarray(1)) }]);
    expectRefused(
      await post(url, short.body, short.headers),
      400,
      "expected 3136 bytes for FP32 [1, 1, 28, 28], got 3132",
    );
    const nan = binaryRequest([{ ...good, raw: bytesOf(new Float32Array(784).fill(Number.NaN)) }]);
    expectRefused(await post(url, nan.body, nan.headers), 422, "got NaN at position 0");
    const lengths = binaryRequest([
      { name: "x", shape: [1], datatype: "BYTES", raw: Uint8Array.of(255, 255, 255, 255, 0) },
    ]);
    expectRefused(await post(url, lengths.body, lengths.headers), 422, "got a length of 4294967295");
  });

  test("an encoding that is not known", async () => {
    expectRefused(await post(url, "x", { "content-encoding": "br" }), 415, 'gzip or deflate, got "br"');
  });
});

describe("requests that are too much", () => {
  test("a body of a gigabyte is refused before it is sent", async () => {
    const before = process.memoryUsage().rss;
    const answer = await new Promise<{ status: number | undefined; text: string }>((resolve, reject) => {
      const sending = httpRequest(
        url,
        { method: "POST", headers: { "content-length": String(2 ** 30) } },
        (response) => {
          let text = "";
          response
            .on("data", (piece) => {
              text += piece;
            })
            .on("end", () => resolve({ status: response.statusCode, text }));
        },
      );
      sending.on("error", reject);
      sending.write("{");
    });
    expect(answer).toEqual({ status: 413, text: expect.stringContaining('{"error":"body: expected fewer bytes') });
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * MEBI);
  });

  test("a body without a length is cut off at the limit", async () => {
    const pieces = new ReadableStream({
      pull(controller) {
        controller.enqueue(new Uint8Array(64 * 1024));
      },
    });
    const sent = fetch(url, { method: "POST", body: pieces, duplex: "half" } as RequestInit);
    const status = await sent.then(
      (response) => response.status,
      () => "cut",
    );
    expect([413, "cut"]).toContain(status);
  });

  test("a small body that unpacks to a large one", async () => {
    expectRefused(
      await post(url, gzipSync(Buffer.alloc(64 * MEBI)), { "content-encoding": "gzip" }),
      413,
      `at most ${MEBI} bytes once unpacked`,
    );
  });

  test("a PNG that unpacks to a large picture", async () => {
    const bomb = pngBomb(30_000, 30_000);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(bomb.length);
    const before = process.memoryUsage().rss;
    const { body, headers } = binaryRequest([
      { name: "x", shape: [1], datatype: "BYTES", raw: Buffer.concat([length, bomb]) },
    ]);
    expectRefused(await post(url, body, headers), 422, "expected at most 100000 pixels, got 30000 x 30000 = 900000000");
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * MEBI);
  });

  test("ten thousand headers; and more than a hundred small ones", async () => {
    const many = (count: number): string =>
      `POST /v2/models/m/infer HTTP/1.1\r\nHost: x\r\n${Array.from({ length: count }, (_, i) => `h${i}: 1\r\n`).join("")}Content-Length: 0\r\n\r\n`;
    expect(await raw(guard, many(10_000))).toMatch(
      /^HTTP\/1\.1 431 [\s\S]*\{"error":"headers: expected at most 16384 bytes, got more\."\}$/,
    );
    expect(await raw(guard, many(150))).toMatch(
      /^HTTP\/1\.1 431 [\s\S]*\{"error":"headers: expected at most 100, got 152\."\}$/,
    );
  });

  test("a client that sends a letter now and then is cut off in time, while others are served", async () => {
    const started = performance.now();
    const socket = connect(Number(new URL(guard.address).port), "127.0.0.1");
    let text = "";
    const ended = new Promise<void>((resolve) => socket.on("close", () => resolve()));
    socket
      .on("error", () => undefined)
      .on("data", (piece) => {
        text += piece;
      });
    socket.write("POST /v2/models/m/infer HTTP/1.1\r\nHost: x\r\n");
    const drip = setInterval(() => socket.write("x: 1\r\n"), 100);
    expect((await post(url, jsonRequest(one))).status).toBe(200);
    await ended;
    clearInterval(drip);
    expect(text).toMatch(/^HTTP\/1\.1 408 [\s\S]*"error":"request: expected it whole within the time limit/);
    expect(performance.now() - started).toBeLessThan(5000);
  });

  test("no HTTP at all", async () => {
    expect(await raw(guard, "\x16\x03\x01 hello\r\n\r\n")).toMatch(
      /^HTTP\/1\.1 400 [\s\S]*\{"error":"request: expected HTTP, got something else\."\}$/,
    );
  });
});

describe("addresses that lead nowhere", () => {
  test.each([
    ["/v2/models/unknown/infer", 404, "expected a model that is served here"],
    ["/v2/models/..%2f..%2fetc%2fpasswd/infer", 404, "expected a model that is served here"],
    ["/v2/models/%2e%2e/infer", 404, "expected"],
    ["/v2/models/m%00/infer", 404, "expected a model that is served here"],
    ["/v2/models/*/infer", 404, "expected a model that is served here"],
    ["/v2/models/__proto__/infer", 404, "expected a model that is served here"],
    [`/v2/models/${"m".repeat(500)}/infer`, 404, "expected a model that is served here"],
    ["/v2/models/m%zz/infer", 400, "well formed"],
    ["/v2/repository/models/m/load", 403, "expected no changes"],
    ["/v3", 404, "expected an address of this gateway"],
  ])("%s", async (path, status, words) => {
    const text = await raw(
      guard,
      `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}`,
    );
    expect(text).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(JSON.parse(text.slice(text.indexOf("\r\n\r\n"))).error).toContain(words);
  });

  test("names that leave an upstream's models are not forwarded", async () => {
    const { mode, upstream, front } = await faulty();
    mode.paths = [];
    for (const path of [
      "/v2/models/..%2f..%2fadmin/infer",
      "/v2/models/a%2fb",
      "/v2/models/%2e%2e/ready",
      "/v2/models/a%3fb/infer",
    ]) {
      const text = await raw(
        front,
        `${path.endsWith("infer") ? "POST" : "GET"} ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
      );
      expect(text).toMatch(/^HTTP\/1\.1 404 /);
    }
    expect(mode.paths).toEqual([]);
    upstream.close();
  });
});

describe("pages of other origins", () => {
  test.each(["http://evil.example", "null", "not an origin", "http://127.0.0.1:1"])("%s is refused", async (origin) => {
    const answer = await post(url, jsonRequest(one), { origin });
    expectRefused(answer, 403, "origin");
    expect(answer.headers.get("access-control-allow-origin")).toBeNull();
  });

  test("the own origin may ask, one that is listed may read, and no other name for this machine", async () => {
    expect((await post(url, jsonRequest(one), { origin: guard.address })).status).toBe(200);
    const text = await raw(
      guard,
      "GET /v2 HTTP/1.1\r\nHost: evil.example:80\r\nOrigin: http://evil.example:80\r\nConnection: close\r\n\r\n",
    );
    expect(text).toMatch(/^HTTP\/1\.1 403 /);
    const open = await gateway({
      models: { m: { classifier: FASHION.classifier, policy: "pass" } },
      origins: ["https://lab.example"],
    });
    const preflight = await fetch(`${open.address}/v2/models/m/infer`, {
      method: "OPTIONS",
      headers: { origin: "https://lab.example", "access-control-request-method": "POST" },
    });
    expect([preflight.status, preflight.headers.get("access-control-allow-origin")]).toEqual([
      204,
      "https://lab.example",
    ]);
  });
});

describe("keys", () => {
  test("no key, another one, a rate that is used up", async () => {
    const locked = await gateway({
      models: { m: { classifier: FASHION.classifier, policy: "pass" } },
      keys: [{ name: "a", key: "correct-horse", perMinute: 2 }],
    });
    const ask = (headers: Record<string, string>): Promise<Inferred> =>
      post(`${locked.address}/v2/models/m/infer`, jsonRequest(one), headers);
    const none = await ask({});
    expectRefused(none, 401, "got none");
    expect(none.headers.get("www-authenticate")).toBe("Bearer");
    expectRefused(await ask({ "x-api-key": "battery-staple" }), 401, "got another");
    expect((await ask({ "x-api-key": "correct-horse" })).status).toBe(200);
    expect((await ask({ authorization: "bearer correct-horse" })).status).toBe(200);
    const over = await ask({ authorization: "Bearer correct-horse" });
    expectRefused(over, 429, "at most 2 requests a minute");
    expect(Number(over.headers.get("retry-after"))).toBeGreaterThan(0);
  });
});

describe("servers that fail", () => {
  test.each([
    ["refuses connections", "closed", 502, "ECONNREFUSED"],
    ["hangs up", "hang up", 502, "expected an answer, got none"],
    ["answers half", "half", 502, "expected an answer, got none"],
    ["answers no HTTP", "garbage", 502, "expected an answer, got none"],
    ["answers other words", "other words", 502, 'expected an answer with outputs, got "who knows"'],
    ["answers too little", "too little", 502, "expected 40 bytes of raw tensors, got 3"],
    ["is slow", "slow", 504, "expected an answer within 500 ms, got none"],
  ] as const)("a server that %s", async (_what, kind, status, words) => {
    const { mode, upstream, front } = await faulty();
    const ask = (): Promise<Inferred> => post(`${front.address}/v2/models/m/infer`, jsonRequest(one));
    expect((await ask()).status).toBe(200);
    mode.kind = kind;
    const closed = kind === "closed";
    if (closed)
      await new Promise<void>((resolve) => {
        upstream.close(() => resolve());
        for (const socket of mode.sockets) socket.destroy();
      });
    const started = performance.now();
    const answer = await ask();
    expectRefused(answer, status, words);
    expect(performance.now() - started).toBeLessThan(3000);
    mode.kind = "fine";
    if (closed) await new Promise<void>((resolve) => upstream.listen(mode.port, "127.0.0.1", resolve));
    expect((await ask()).status).toBe(200);
    expect((await fetch(`${front.address}/v2/health/ready`)).status).toBe(200);
  });

  test("a client that leaves takes its request to the server along", async () => {
    const { mode, front } = await faulty();
    mode.kind = "slow";
    const leaving = new AbortController();
    const gone = fetch(`${front.address}/v2/models/m/infer`, {
      method: "POST",
      body: jsonRequest(one),
      signal: leaving.signal,
    });
    while (mode.pending === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    const closed = new Promise<void>((resolve) => {
      mode.onClose = resolve;
    });
    leaving.abort();
    await expect(gone).rejects.toThrow();
    await closed;
    mode.kind = "fine";
    expect((await post(`${front.address}/v2/models/m/infer`, jsonRequest(one))).status).toBe(200);
  });

  test("an error of the server comes back as it is", async () => {
    const { mode, front } = await faulty();
    mode.kind = "error";
    const answer = await post(`${front.address}/v2/models/m/infer`, jsonRequest(one));
    expect([answer.status, answer.body.toString()]).toEqual([418, '{"error":"teapot","more":1.0}']);
  });
});

describe("more than it can do", () => {
  test("images beyond the queue are refused at once, and all others answered rightly", async () => {
    const small = await gateway({
      models: { m: { ...FASHION, ...QUICK } },
      limits: { queue: 4, batch: 2, cacheBytes: 0 },
    });
    const ask = (i: number): Promise<Inferred> =>
      post(`${small.address}/v2/models/m/infer`, jsonRequest(rowsOf(images, i % 8, (i % 8) + 1)));
    const alone: (readonly number[])[] = [];
    for (let i = 0; i < 8; i++) alone.push((await ask(i)).outputs["probabilities"]!);
    const answers = await Promise.all(Array.from({ length: 64 }, (_, i) => ask(i)));
    const counts = { 200: 0, 429: 0 };
    answers.forEach(({ status, outputs, headers }, i) => {
      counts[status as 200 | 429] += 1;
      if (status === 200) expect(outputs["probabilities"]).toBeAllclose(alone[i % 8]!, { rtol: 0, atol: 1e-5 });
      else expect(Number(headers.get("retry-after"))).toBeGreaterThan(0);
    });
    expect(counts[200]).toBeGreaterThanOrEqual(4);
    expect(counts[429]).toBeGreaterThan(0);
    expect(counts[200] + counts[429]).toBe(64);
  });

  test("a deadline that a client sets is kept", async () => {
    const answer = await post(url, jsonRequest(rowsOf(images, 8, 24)), { "untrigger-deadline": "1" });
    expectRefused(answer, 504, "expected an answer within 1 ms");
  });
});

/** Sends text as it is and reads until the server closes. */
function raw(target: RunningGateway, text: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(Number(new URL(target.address).port), "127.0.0.1", () => socket.write(text));
    let answer = "";
    socket.on("data", (piece) => {
      answer += piece;
    });
    socket.on("error", () => undefined).on("close", () => resolve(answer));
    socket.setTimeout(3000, () => socket.destroy());
  });
}

/** A PNG whose header claims a size; its pixels are all black, and pack well. */
function pngBomb(width: number, height: number): Buffer {
  const chunk = (type: string, data: Buffer): Buffer => {
    const named = Buffer.concat([Buffer.from(type), data]);
    const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    check.writeUInt32BE(crc32(named));
    return Buffer.concat([length, named, check]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = 8;
  const pixels = deflateSync(Buffer.alloc(64 * MEBI));
  return Buffer.concat([
    Buffer.from("\x89PNG\r\n\x1a\n", "latin1"),
    chunk("IHDR", header),
    chunk("IDAT", pixels),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

interface Mode {
  kind: "fine" | "closed" | "hang up" | "half" | "garbage" | "other words" | "too little" | "slow" | "error";
  paths: string[];
  pending: number;
  port: number;
  sockets: Set<Socket>;
  onClose(): void;
}

/** A server that fails as told, and a gateway in front of it. */
async function faulty(): Promise<{ mode: Mode; upstream: Server; front: RunningGateway }> {
  const mode: Mode = { kind: "fine", paths: [], pending: 0, port: 0, sockets: new Set(), onClose: () => undefined };
  const fine = '{"model_name":"m","outputs":[{"name":"y","datatype":"FP32","shape":[1,2],"data":[0,1]}]}';
  const answer = (status: string, body: string, headers = ""): string =>
    `HTTP/1.1 ${status}\r\nContent-Length: ${body.length}\r\n${headers}\r\n${body}`;
  const cut = '{"outputs":[{"name":"y","parameters":{"binary_data_size":40}}]}';
  const answers: Record<string, string> = {
    fine: answer("200 OK", fine),
    half: answer("200 OK", fine).slice(0, -20),
    garbage: "\x00\x01 who knows\r\n\r\n",
    "other words": answer("200 OK", "who knows"),
    "too little": answer("200 OK", `${cut}abc`, `Inference-Header-Content-Length: ${cut.length}\r\n`),
    error: answer("418 Teapot", '{"error":"teapot","more":1.0}'),
  };
  const upstream = createServer((socket) => {
    mode.sockets.add(socket);
    socket
      .on("error", () => undefined)
      .on("close", () => {
        mode.sockets.delete(socket);
        mode.onClose();
      });
    let text = "";
    socket.on("data", (piece) => {
      text += piece.toString("latin1");
      const end = text.indexOf("\r\n\r\n");
      const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0);
      if (end < 0 || text.length < end + 4 + length) return;
      mode.paths.push(text.split(" ")[1] ?? "");
      text = "";
      if (mode.kind === "slow") mode.pending += 1;
      else if (mode.kind === "hang up") socket.destroy();
      else if (mode.kind === "half" || mode.kind === "garbage") socket.end(answers[mode.kind] ?? "");
      else socket.write(answers[mode.kind] ?? "");
    });
  });
  await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
  mode.port = (upstream.address() as AddressInfo).port;
  const front = await gateway({
    upstreams: { u: `http://127.0.0.1:${mode.port}` },
    models: { "*": { upstream: "u", prior: FASHION.prior, ...QUICK } },
    limits: { deadlineMs: 500, cacheBytes: 2 ** 20 },
  });
  await post(`${front.address}/v2/models/m/infer`, jsonRequest(one)).catch(() => undefined);
  return { mode, upstream, front };
}
