/** @file TensorFlow Serving, TorchServe and SageMaker through the gateway: alone, and in front of servers that speak them. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { nestNumbers } from "../../src/classifiers/json.ts";
import type { RunningGateway } from "../../src/server/start.ts";
import { rowsOf } from "../../src/tensor/rows.ts";
import { FASHION, gateway, lastingGateway, QUICK } from "../support/gateway.ts";
import { serve } from "../support/http-server.ts";
import { jsonRequest, post } from "../support/infer.ts";
import { shippedPictures } from "../support/shipped-pictures.ts";

const { images } = await shippedPictures(`${FASHION.classifier}/images`);
const two = rowsOf(images, 0, 2);
const png = readFileSync(`${FASHION.classifier}/images/00000.png`);
const b64 = [0, 1].map((i) => ({ b64: readFileSync(`${FASHION.classifier}/images/0000${i}.png`).toString("base64") }));
/** Channels last. */
const instances = nestNumbers(two.data, [2, 28, 28, 1]) as unknown[];

let server: RunningGateway;
let expected: readonly number[];
beforeAll(async () => {
  server = await lastingGateway({ models: { m: { ...FASHION, ...QUICK } } });
  expected = (await post(`${server.address}/v2/models/m/infer`, jsonRequest(two))).outputs["probabilities"]!;
});
afterAll(() => server.close());

/** Scores of an answer, whatever they are called, in the order of the classes. */
async function ask(path: string, body: string | Uint8Array<ArrayBuffer>, gate = server) {
  const { status, body: bytes, headers, note } = await post(gate.address + path, body);
  return { status, json: JSON.parse(bytes.toString()), headers, note };
}

describe("TensorFlow Serving", () => {
  test.each([
    ["instances", { instances }, "predictions"],
    ["named instances", { instances: instances.map((image) => ({ image })) }, "predictions"],
    ["encoded instances", { instances: b64 }, "predictions"],
    ["named encoded instances", { instances: b64.map((image) => ({ image })) }, "predictions"],
    ["a tensor", { inputs: instances }, "outputs"],
    ["a named tensor", { inputs: { image: instances } }, "outputs"],
    ["encoded inputs", { inputs: b64 }, "outputs"],
  ])("%s", async (_what, request, key) => {
    for (const place of ["m", "m/versions/1"]) {
      const { status, json, note } = await ask(`/v1/models/${place}:predict`, JSON.stringify(request));
      expect(status, json.error).toBe(200);
      expect(json[key].flat()).toBeAllclose(expected, { rtol: 0, atol: 1e-5 });
      expect(note).toMatchObject({ policy: "purify", images: 2 });
    }
  });

  test("in front of a server, all but the pixels stays as it was", async () => {
    const { url, received } = await serve(() => ({
      predictions: [
        [0, 1],
        [1, 0],
      ],
    }));
    const front = await gateway({
      upstreams: { u: url },
      models: { "*": { upstream: "u", prior: FASHION.prior, ...QUICK } },
    });
    const text = `{"signature_name" : "s", "n": 12345678901234567890, "instances": ${JSON.stringify(instances)} }`;
    const { status, json } = await ask("/v1/models/x:predict", text, front);
    expect([status, json]).toEqual([
      200,
      {
        predictions: [
          [0, 1],
          [1, 0],
        ],
      },
    ]);
    const sent = received[0]!.body.toString();
    expect(sent.startsWith('{"signature_name" : "s", "n": 12345678901234567890, "instances": [[[')).toBe(true);
    expect(sent.endsWith("]]]] }")).toBe(true);
    expect(JSON.parse(sent).instances).not.toEqual(instances);
    expect(received[0]?.path).toBe("/v1/models/x:predict");
  });

  test.each([
    ["m:predict", "{", 422, "expected JSON"],
    ["m:predict", "[]", 422, "expected an object"],
    ["m:predict", "{}", 422, "either instances or inputs"],
    ["m:predict", '{"instances":[],"inputs":[]}', 422, "either instances or inputs"],
    ["m:predict", '{"instances":[]}', 400, "got"],
    ["m:predict", '{"instances":[[[1]]]}', 400, "expected images of 4 axes"],
    ["m:predict", '{"instances":[{"b64":"?"}]}', 422, "expected base64"],
    ["m:predict", '{"instances":[{"b64":1}]}', 422, "expected base64"],
    ["m:predict", '{"instances":[{"a":1,"b":2}]}', 422, "expected one input, got 2"],
    ["m:predict", '{"instances":[[[["x"]]]]}', 422, "expected images of numbers"],
    ["n:predict", "{}", 404, "served here"],
    ["m:classify", "{}", 404, "ends with :predict"],
    ["..%2fx:predict", "{}", 404, "served here"],
  ])("%s %s is refused", async (place, body, status, words) => {
    const answer = await ask(`/v1/models/${place}`, body);
    expect([answer.status, Object.keys(answer.json)]).toEqual([status, ["error"]]);
    expect(answer.json.error).toContain(words);
  });
});

describe("pictures as bodies", () => {
  test.each(["/predictions/m", "/predictions/m/2.0", "/invocations"])(
    "%s answers with labels and probabilities",
    async (path) => {
      const { status, json, note } = await ask(path, new Uint8Array(png));
      expect(status).toBe(200);
      const values = Object.values(json) as number[];
      expect(values).toBeAllclose(
        [...expected.slice(0, 10)].sort((a, b) => b - a),
        { rtol: 0, atol: 1e-5 },
      );
      expect(note).toMatchObject({ policy: "purify", images: 1 });
    },
  );

  test("in front of a server, it gets a purified PNG", async () => {
    const { url, received } = await serve(() => ({ cat: 0.9, dog: 0.1 }));
    const front = await gateway({
      upstreams: { u: url },
      models: { "*": { upstream: "u", prior: FASHION.prior, ...QUICK, policy: "detect", threshold: 0.1 } },
    });
    for (const path of ["/predictions/any", "/invocations"]) {
      const { status, json, note } = await ask(path, new Uint8Array(png), front);
      expect([status, json]).toEqual([200, { cat: 0.9, dog: 0.1 }]);
      expect(note).toMatchObject({ policy: "detect", suspicion: [0], flagged: [false], changed: [false] });
    }
    const [first, second] = received.slice(0, 2).map(({ body }) => body);
    expect([first, second].filter((body) => body?.equals(png))).toHaveLength(1);
    expect(received.every(({ body }) => body.subarray(1, 4).toString() === "PNG")).toBe(true);
  });

  test("refuses in the form of each", async () => {
    const bytes = new TextEncoder().encode("no picture");
    expect(await ask("/predictions/m", bytes)).toMatchObject({
      status: 422,
      json: { code: 422, type: "format", message: expect.stringContaining("expected a PNG") },
      note: { refused: "format" },
    });
    expect(await ask("/invocations", bytes)).toMatchObject({
      status: 422,
      json: { error: expect.stringContaining("expected a PNG") },
    });
    expect(await (await fetch(`${server.address}/ping`)).json()).toEqual({ status: "Healthy" });
  });
});
