import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { describe, expect, test } from "vitest";
import { serve } from "../../test/support/http-server.ts";
import { EndpointError, OptionError, ShapeError } from "../core/errors.ts";
import { type Float32Tensor, float32 } from "../tensor/tensor.ts";
import { type HttpClassifierOptions, openHttpClassifier } from "./http.ts";

const images = float32([3, 1, 2, 2], [0, 0.25, 0.5, 1, 0, 0, 0, 1, 1, 0.5, 0, 0]);
const rows = (n: number): number[][] => Array.from({ length: n }, (_, i) => [i, 1, -1]);

function open(url: string, options: Partial<HttpClassifierOptions> = {}): ReturnType<typeof openHttpClassifier> {
  return openHttpClassifier(url, { fetch, backoff: 1, ...options });
}

async function classify(url: string, options: Partial<HttpClassifierOptions> = {}, batch = images) {
  return await (await open(url, options)).classify(batch);
}

/** The error of a classification, checked to be an endpoint's one sentence. */
async function failure(url: string, options: Partial<HttpClassifierOptions> = {}): Promise<string> {
  const error = await classify(url, options).then(
    () => expect.unreachable("expected a failure"),
    (thrown: unknown) => thrown as Error,
  );
  expect(error).toBeInstanceOf(EndpointError);
  expect(error.message).toMatch(/^http:\/\/\S+: expected [^\n]+\.$/);
  return error.message.slice(error.message.indexOf("expected"));
}

describe("plain JSON", () => {
  test("sends nested images in [0, 1] and reads rows of scores", async () => {
    const { url, received } = await serve(() => ({ scores: rows(3) }));
    const classifier = await open(`${url}/classify`, { labels: ["a", "b", "c"], headers: { "x-key": "k" } });
    const { scores, kind } = await classifier.classify(images);
    expect(scores.dims).toEqual([3, 3]);
    expect([...scores.data]).toEqual(rows(3).flat());
    expect(kind).toBe("logits");
    expect(JSON.parse(received[0]!.body.toString())).toEqual({
      images: [
        [
          [
            [0, 0.25],
            [0.5, 1],
          ],
        ],
        [
          [
            [0, 0],
            [0, 1],
          ],
        ],
        [
          [
            [1, 0.5],
            [0, 0],
          ],
        ],
      ],
    });
    expect(received[0]).toMatchObject({
      method: "POST",
      headers: { "content-type": "application/json", "x-key": "k" },
    });
    expect(classifier).toMatchObject({ calls: 3, labels: ["a", "b", "c"], input: {} });
    expect(classifier.hash).toMatch(/^[0-9a-f]{64}$/);
  });

  test.each<[string, unknown, string, number[]]>([
    [
      "probabilities that are seen to be such",
      {
        scores: [
          [0.5, 0.5],
          [0, 1],
          [1, 0],
        ],
      },
      "probabilities",
      [0.5, 0.5, 0, 1, 1, 0],
    ],
    [
      "probabilities by name",
      {
        probabilities: [
          [0.5, 0.4],
          [0, 1],
          [1, 0],
        ],
      },
      "probabilities",
      [0.5, 0.4, 0, 1, 1, 0],
    ],
    [
      "logits by name",
      {
        logits: [
          [1, 0],
          [0, 1],
          [1, 0],
        ],
      },
      "logits",
      [1, 0, 0, 1, 1, 0],
    ],
    [
      "a bare array of rows",
      [
        [2, 0],
        [0, 1],
        [1, 0],
      ],
      "logits",
      [2, 0, 0, 1, 1, 0],
    ],
    ["labels", { labels: [1, 0, 1] }, "labels", [0, 1, 1, 0, 0, 1]],
    ["a bare array of labels", [1, 0, 1], "labels", [0, 1, 1, 0, 0, 1]],
  ])("reads %s", async (_, answer, kind, data) => {
    const { url } = await serve(() => answer);
    const result = await classify(url, { labels: ["cat", "dog"] });
    expect(result.kind).toBe(kind);
    expect(result.scores.data).toBeAllclose(data, { rtol: 1e-7 });
  });

  test("labels need a known number of classes", async () => {
    const { url } = await serve(() => ({ labels: [1, 0, 1] }));
    await expect(classify(url)).rejects.toThrow(OptionError);
    const { scores } = await classify(url, { config: { num_labels: 4 } });
    expect(scores.dims).toEqual([3, 4]);
  });

  test("the flag says what scores are", async () => {
    const { url } = await serve(() => [
      [0.5, 0.5],
      [0, 1],
      [1, 0],
    ]);
    expect((await classify(url, { scores: "logits" })).kind).toBe("logits");
  });

  test("flags normalise and reorder", async () => {
    const { url, received } = await serve(() => rows(1));
    await classify(url, { mean: 0.5, std: [0.5, 0.5], layout: "NHWC" }, float32([1, 2, 1, 2], [0, 1, 0.5, 0.75]));
    expect(JSON.parse(received[0]!.body.toString())).toEqual({
      images: [
        [
          [
            [-1, 0],
            [1, 0.5],
          ],
        ],
      ],
    });
  });

  test("batches, counts and joins", async () => {
    const { url, received } = await serve(({ body }) => {
      const batch = (JSON.parse(body.toString()) as { images: number[][][][] }).images;
      return { scores: batch.map((image) => [image[0]![0]![0]!, 2]) };
    });
    const many = float32([7, 1, 1, 1], [1, 2, 3, 4, 5, 6, 7]);
    const classifier = await open(url, { batch: 3 });
    const { scores } = await classifier.classify(many);
    expect(Array.from(scores.data).filter((_, i) => i % 2 === 0)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(received).toHaveLength(3);
    expect(classifier.calls).toBe(7);
    expect((await classifier.classify(float32([0, 1, 1, 1]))).scores.dims).toEqual([0, 2]);
    await expect(classifier.classify(float32([3, 2]))).rejects.toThrow(ShapeError);
  });
});

describe("answers that are not scores", () => {
  test.each<[string, unknown, RegExp]>([
    ["too few rows", { scores: rows(2) }, /scores of 3 images, got 2/],
    [
      "ragged rows",
      {
        scores: [
          [1, 2, 3],
          [1, 2],
          [1, 2, 3],
        ],
      },
      /row 1 with 2 entries where the first has 3/,
    ],
    ["one score each", { scores: [[0.1], [0.2], [0.3]] }, /2 or more classes, got dims \[3, 1\]/],
    ["no rows", { scores: [0.1, 0.9, 0.3] }, /a row of scores per image, got 3 numbers/],
    [
      "maps instead of rows",
      [
        [
          [1, 2],
          [3, 4],
        ],
        [
          [1, 2],
          [3, 4],
        ],
        [
          [1, 2],
          [3, 4],
        ],
      ],
      /scores \[N, K\], got dims \[3, 2, 2\]/,
    ],
    ["text", { scores: [["high"], ["low"], ["low"]] }, /the text "high" in row 0/],
    [
      "null among numbers",
      {
        scores: [
          [1, 2],
          [1, null],
          [1, 2],
        ],
      },
      /null in row 1/,
    ],
    [
      "a number beyond float32",
      { scores: rows(3).map((row, i) => (i === 1 ? [0, 1e300, 0] : row)) },
      /finite scores, got 1e\+300 for image 1/,
    ],
    ["fractions as labels", { labels: [0, 0.5, 1] }, /labels from 0 to 2, got 0.5 for image 1/],
    ["labels out of range", { labels: [0, 1, 3] }, /labels from 0 to 2, got 3 for image 2/],
    ["another object", { result: "ok", took: 3 }, /"scores" or "labels", got result, took/],
    ["a number", 7, /"scores" or "labels", got 7/],
    ["nothing", {}, /an empty object/],
    ["deep nesting", { scores: [[[[[[[1]]]]]]] }, /nested more than 5 deep/],
  ])("%s", async (_, answer, sentence) => {
    const { url } = await serve(() => answer);
    expect(await failure(`${url}/x`, { labels: ["a", "b", "c"] })).toMatch(sentence);
  });

  test("the wrong number of scores, stated or compared with earlier answers", async () => {
    const { url } = await serve(() => ({ scores: rows(3) }));
    expect(await failure(url, { config: { num_labels: 10 } })).toMatch(/10 scores per image, got 3/);
    let classes = 1;
    const unsteady = await serve(() => [Array.from({ length: ++classes }, (_, i) => i)]);
    expect(await failure(unsteady.url, { batch: 1 })).toMatch(/2 scores per image, got 3/);
  });

  test.each(["NaN", "Infinity", "-Infinity", '"NaN"'])("bare %s", async (token) => {
    const { url } = await serve((_, response) => void response.end(`{"scores": [[1, 2],[1,  ${token} ], [3, 4]]}`));
    expect(await failure(url)).toContain(`finite scores, got ${token.replaceAll('"', "")} for image 1`);
  });

  test("an HTML page is named", async () => {
    const { url } = await serve(
      (_, response) => void response.end("<!DOCTYPE html><html><head><title>Log\nin</title></head></html>"),
    );
    expect(await failure(`${url}/secret?token=abc`)).toBe(
      'expected scores as JSON, got an HTML page "Log in". Do check the address.',
    );
  });

  test.each<[string, string, RegExp]>([
    ["text", "all is well", /as JSON, got "all is well"/],
    ["nothing", "", /as JSON, got nothing/],
    ["half a document", '{"scores": [[1, 2', /as JSON, got/],
    ["control characters", "\u001b[2Jgone\r\n\u0000", /got "\[2Jgone"/],
  ])("%s instead of JSON", async (_, text, sentence) => {
    const { url } = await serve((_, response) => void response.end(text));
    expect(await failure(url)).toMatch(sentence);
  });
});

describe("servers in trouble", () => {
  test("down", async () => {
    const probe = createServer();
    const port = await new Promise<number>((resolve) =>
      probe.listen(0, "127.0.0.1", () => resolve((probe.address() as AddressInfo).port)),
    );
    await new Promise((resolve) => probe.close(resolve));
    const message = await failure(`http://127.0.0.1:${port}/x`);
    expect(message).toMatch(/an answer, got no connection in 3 tries; because .*ECONNREFUSED.* Do check the address/);
  });

  test("slow: says how long it was waited, and does not ask again", async () => {
    const { url, received } = await serve(() => undefined);
    expect(await failure(url, { timeout: 60 })).toMatch(/an answer within 0.06 s, got none/);
    expect(received).toHaveLength(1);
  });

  test("slow in the middle of its answer", async () => {
    const { url } = await serve((_, response) => void response.write('{"scores": '));
    expect(await failure(url, { timeout: 60 })).toMatch(/within 0.06 s/);
  });

  test("hangs up", async () => {
    const { url, received } = await serve((_, response) => void response.destroy());
    expect(await failure(url, { retries: 1 })).toMatch(/no connection in 2 tries/);
    expect(received).toHaveLength(2);
  });

  test.each<[string, number, string, RegExp]>([
    [
      "its own JSON error",
      400,
      '{"error": "input must be 3x224x224"}',
      /HTTP status 400; because "input must be 3x224x224"/,
    ],
    ["an error object", 500, '{"error": {"message": "out of memory"}}', /status 500; because "out of memory"/],
    ["FastAPI's detail", 422, '{"detail": "images: field required"}', /422; because "images: field required"/],
    ["long text, shortened", 500, "x".repeat(5000), /because "x{200}…"\.$/],
    [
      "a page",
      404,
      "<html><title>Not Found</title></html>",
      /404; because an HTML page "Not Found"\. Do check the address/,
    ],
    ["nothing", 403, "", /got HTTP status 403\.$/],
    ["too large a batch", 413, "", /413\. Do send smaller batches/],
  ])("answers %s", async (_, status, body, sentence) => {
    const { url, received } = await serve((_, response) => void response.writeHead(status).end(body));
    expect(await failure(url)).toMatch(sentence);
    expect(received).toHaveLength(1);
  });

  test.each([429, 502, 503, 504])("busy (%d) for a moment: asked again", async (status) => {
    let answers = 0;
    const { url } = await serve((_, response) => {
      if (++answers < 3) return void response.writeHead(status).end();
      return { scores: rows(3) };
    });
    expect((await classify(url)).scores.dims).toEqual([3, 3]);
    expect(answers).toBe(3);
  });

  test("busy for good: gives up with its words", async () => {
    const { url, received } = await serve((_, response) => void response.writeHead(503).end("warming up"));
    expect(await failure(url)).toMatch(/status 503; because "warming up"/);
    expect(received).toHaveLength(3);
  });

  test("Retry-After is waited for, unless it is too long", async () => {
    const times: number[] = [];
    const { url } = await serve((_, response) => {
      times.push(performance.now());
      if (times.length === 1) return void response.writeHead(429, { "retry-after": "1" }).end();
      return { scores: rows(3) };
    });
    await classify(url);
    expect(times[1]! - times[0]!).toBeGreaterThan(900);
    const later = await serve((_, response) => void response.writeHead(429, { "retry-after": "3600" }).end());
    expect(await failure(later.url)).toMatch(/status 429/);
    expect(later.received).toHaveLength(1);
  });

  test("an endless answer is cut", async () => {
    const { url } = await serve((_, response) => {
      const flood = (): void => {
        while (!response.destroyed && response.write("[0,0,0,0,0,0,0,0,0,0],".repeat(100)));
      };
      response.on("drain", flood);
      flood();
    });
    expect(await failure(url, { maxResponseBytes: 100_000 })).toMatch(/at most 100000 bytes, got more/);
  });

  test("abort while waiting for an answer, and for a retry", async () => {
    const silent = await serve(() => undefined);
    const busy = await serve((_, response) => void response.writeHead(503, { "retry-after": "20" }).end());
    for (const { url } of [silent, busy]) {
      const classifier = await open(url);
      await expect(classifier.classify(images, AbortSignal.timeout(80))).rejects.toMatchObject({
        name: "TimeoutError",
      });
      await expect(classifier.classify(images, AbortSignal.abort())).rejects.toMatchObject({ name: "AbortError" });
    }
  });
});

describe("addresses and options", () => {
  test("user and password travel as a header and are never shown", async () => {
    const { url, received } = await serve(() => ({ oops: 1 }));
    const address = `${url.replace("//", "//me:p%40ss@")}/x?token=secret`;
    expect(await failure(address)).not.toMatch(/p%40ss|p@ss|secret/);
    expect(received[0]!.headers.authorization).toBe(`Basic ${btoa("me:p@ss")}`);
    expect(received[0]!.path).toBe("/x?token=secret");
  });

  test.each<[string, string, Partial<HttpClassifierOptions>, RegExp]>([
    ["no address", "model", {}, /expected an address such as/],
    ["another scheme", "file:///etc/passwd", {}, /http or https, got file:/],
    ["no time", "http://x", { timeout: 0 }, /timeout: expected an integer of at least 1, got 0/],
    ["half a batch", "http://x", { batch: 0.5 }, /batch: .* got 0.5/],
    ["half a normalisation", "http://x", { mean: 0.5 }, /--std/],
  ])("%s", async (_, url, options, sentence) => {
    await expect(open(url, options)).rejects.toThrow(OptionError);
    await expect(open(url, options)).rejects.toThrow(sentence);
  });

  test("the input is not modified", async () => {
    const { url } = await serve(() => ({ scores: rows(3) }));
    const before: Float32Tensor = float32(images.dims, images.data.slice());
    await classify(url, { mean: 0.1, std: 2 });
    expect(images).toEqual(before);
  });
});
