/** @file The Open Inference Protocol over gRPC, with the official client library and messages written field by field. */
import { BinaryWriter } from "@bufbuild/protobuf/wire";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseConfig } from "../../src/server/config.ts";
import { fieldsOf, integersField, textField } from "../../src/server/grpc/wire.ts";
import type { RunningGateway } from "../../src/server/start.ts";
import { bytesFromUnit } from "../../src/tensor/image-bytes.ts";
import { rowsOf } from "../../src/tensor/rows.ts";
import { FASHION, lastingGateway, QUICK } from "../support/gateway.ts";
import { call, failure, inferRequest, keyMetadata, outputsOf } from "../support/grpc.ts";
import { bytesOf, jsonRequest, post } from "../support/infer.ts";
import { shippedPictures } from "../support/shipped-pictures.ts";

const { images } = await shippedPictures(`${FASHION.classifier}/images`);
const two = rowsOf(images, 0, 2);

let server: RunningGateway;
let front: RunningGateway;
let expected: readonly number[];
beforeAll(async () => {
  server = await lastingGateway({
    models: { m: { ...FASHION, ...QUICK }, bare: { classifier: FASHION.classifier, policy: "pass" } },
    grpcPort: 0,
    limits: { bodyBytes: 2 ** 20 },
  });
  front = await lastingGateway({
    upstreams: { s: server.address },
    grpcUpstreams: { s: `127.0.0.1:${server.grpcPort}` },
    models: {
      bare: { upstream: "s", prior: FASHION.prior, ...QUICK, policy: "compare" },
      "*": { upstream: "s", policy: "pass" },
    },
    grpcPort: 0,
  });
  expected = (await post(`${server.address}/v2/models/m/infer`, jsonRequest(two))).outputs["probabilities"]!;
});
afterAll(async () => {
  await front.close();
  await server.close();
});

describe("gRPC", () => {
  test.each([
    ["raw", inferRequest("m", { raw: bytesOf(two.data) })],
    ["packed floats", inferRequest("m", { contents: (w) => w.tag(6, 2).bytes(bytesOf(two.data)) })],
    ["raw bytes", inferRequest("m", { datatype: "UINT8", raw: Uint8Array.from(bytesFromUnit(two)) })],
    [
      "packed unsigned numbers",
      inferRequest("m", {
        datatype: "UINT8",
        contents: (w) => {
          w.tag(4, 2).fork();
          for (const value of bytesFromUnit(two)) w.uint32(value);
          w.join();
        },
      }),
    ],
  ])("%s are purified as over HTTP", async (_what, message) => {
    const { bytes, note } = await call(server, "ModelInfer", message);
    expect(outputsOf(bytes)["probabilities"]).toBeAllclose(expected, { rtol: 0, atol: 1e-5 });
    expect(textField(fieldsOf(bytes), 3)).toBe("id-7");
    expect(note).toMatchObject({ policy: "purify", images: 2 });
  });

  test("pass gives bytes on and back; compare joins both answers", async () => {
    const message = inferRequest("m", { raw: bytesOf(two.data) });
    const [direct, through] = [await call(server, "ModelInfer", message), await call(front, "ModelInfer", message)];
    const strip = (bytes: Buffer): unknown => outputsOf(bytes);
    expect(strip(through.bytes)).toEqual(strip(direct.bytes));
    expect(through.note).toMatchObject({ policy: "pass" });
    for (const request of [
      inferRequest("bare", { raw: bytesOf(two.data) }),
      inferRequest("bare", { contents: (w) => w.tag(6, 2).bytes(bytesOf(two.data)) }),
    ]) {
      const { bytes, note } = await call(front, "ModelInfer", request);
      const outputs = outputsOf(bytes);
      expect(outputs["probabilities"]).toBeAllclose(expected, { rtol: 0, atol: 1e-5 });
      expect(outputs["probabilities.unpurified"]).toHaveLength(20);
      expect(note.suspicion).toHaveLength(2);
    }
  });

  test("health and metadata", async () => {
    const model = new BinaryWriter().tag(1, 2).string("m").finish();
    for (const gateway of [server, front]) {
      for (const method of ["ServerLive", "ServerReady", "ModelReady"]) {
        expect([...(await call(gateway, method, model)).bytes]).toEqual([8, 1]);
      }
      const fields = fieldsOf((await call(gateway, "ModelMetadata", model)).bytes);
      const input = fields.find(({ number }) => number === 4);
      expect([textField(fields, 1), textField(fields, 3)]).toEqual(["m", "untrigger"]);
      expect(integersField(fieldsOf(input!.bytes), 3)).toEqual([-1, 1, 28, 28]);
    }
  });

  test.each([
    ["no protobuf", Uint8Array.of(255, 255, 255), 3, "expected protobuf"],
    ["no input", new BinaryWriter().tag(1, 2).string("m").finish(), 3, "expected from 1 to 64 inputs, got 0"],
    ["an unknown model", inferRequest("n", { raw: bytesOf(two.data) }), 5, "served here"],
    ["a path for a name", inferRequest("../m", { raw: bytesOf(two.data) }), 5, "served here"],
    ["too few bytes", inferRequest("m", { raw: bytesOf(two.data.subarray(4)) }), 3, "expected 1568 numbers"],
    ["half a number", inferRequest("m", { raw: new Uint8Array(7) }), 3, "got a part of one"],
    ["no contents", inferRequest("m", {}), 3, "got both or neither"],
    ["a negative shape", inferRequest("m", { shape: [-1, 28], raw: new Uint8Array(4) }), 3, "expected a shape"],
    ["a datatype without pixels", inferRequest("m", { datatype: "INT64", raw: new Uint8Array(8) }), 3, "got INT64"],
    [
      "a picture that is none",
      inferRequest("m", { datatype: "BYTES", shape: [1], raw: Uint8Array.of(1, 0, 0, 0, 9) }),
      3,
      "expected a PNG",
    ],
    ["too large a message", inferRequest("m", { raw: new Uint8Array(2 ** 21) }), 8, "larger than max"],
  ])("%s is refused with a status", async (_what, message, code, words) => {
    const error = await failure(call(server, "ModelInfer", message));
    expect([error.code, error.details]).toEqual([code, expect.stringContaining(words)]);
    const { bytes } = await call(server, "ModelInfer", inferRequest("m", { raw: bytesOf(two.data) }));
    expect(outputsOf(bytes)["probabilities"]).toHaveLength(20);
  });

  test("a server's own status comes back; one that is away is UNAVAILABLE", async () => {
    const wrong = inferRequest("away", { raw: bytesOf(two.data) });
    const error = await failure(call(front, "ModelInfer", wrong));
    expect([error.code, error.details]).toEqual([5, expect.stringContaining('model "away"')]);
    const lost = await lastingGateway({
      upstreams: { s: "http://127.0.0.1:1" },
      grpcUpstreams: { s: "127.0.0.1:1" },
      models: { "*": { upstream: "s", policy: "pass" } },
      keys: [{ name: "a", key: "a-good-key" }],
      grpcPort: 0,
    });
    try {
      expect((await failure(call(lost, "ModelInfer", wrong))).code).toBe(16);
      const away = await failure(call(lost, "ModelInfer", wrong, { metadata: keyMetadata("a-good-key") }));
      expect([away.code, away.details]).toEqual([14, expect.stringContaining("ECONNREFUSED")]);
    } finally {
      await lost.close();
    }
  });

  test("keys follow the configuration, and a key's rate counts what it asks over HTTP, too", async () => {
    const models = { bare: { classifier: FASHION.classifier, policy: "pass" } } as const;
    const guarded = await lastingGateway({ models, grpcPort: 0 });
    const wanted = (key: string | undefined) =>
      call(guarded, "ModelMetadata", new BinaryWriter().tag(1, 2).string("bare").finish(), {
        metadata: key === undefined ? undefined : keyMetadata(key),
      });
    try {
      await wanted(undefined);
      await guarded.reload(
        parseConfig({ models, keys: [{ name: "a", key: "the-first-key" }], listen: { grpcPort: 0 } }),
      );
      expect((await failure(wanted(undefined))).code).toBe(16);
      await wanted("the-first-key");
      await guarded.reload(parseConfig({ models, keys: [{ name: "a", key: "the-second-key", perMinute: 2 }] }));
      expect((await failure(wanted("the-first-key"))).code).toBe(16);
      const headers = { "x-api-key": "the-second-key" };
      expect((await fetch(`${guarded.address}/v2/models/bare`, { headers })).status).toBe(200);
      await wanted("the-second-key");
      const over = await failure(wanted("the-second-key"));
      expect([over.code, over.details]).toEqual([8, expect.stringContaining("at most 2 requests a minute")]);
      await guarded.reload(parseConfig({ models }));
      await wanted(undefined);
    } finally {
      await guarded.close();
    }
  });
});
