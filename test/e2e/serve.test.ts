/** @file The gateway over the Open Inference Protocol: alone, and in front of a server that is another gateway. */
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { encodePng } from "../../src/images/node.ts";
import { picturesFromTensor } from "../../src/images/picture.ts";
import { openPurifier } from "../../src/jobs/open-purifier.ts";
import { openClassifierAt } from "../../src/node/open-classifier.ts";
import { openPriorAt } from "../../src/node/open-prior.ts";
import { createNodeRuntime } from "../../src/runtime/node.ts";
import type { RunningGateway } from "../../src/server/start.ts";
import { bytesFromUnit } from "../../src/tensor/image-bytes.ts";
import { rowsOf } from "../../src/tensor/rows.ts";
import { FASHION, lastingGateway, QUICK } from "../support/gateway.ts";
import { serve } from "../support/http-server.ts";
import { binaryRequest, bytesOf, jsonRequest, post } from "../support/infer.ts";
import { shippedPictures } from "../support/shipped-pictures.ts";

const { images: all, ids } = await shippedPictures(`${FASHION.classifier}/images`);
const images = rowsOf(all, 0, 4);
const one = rowsOf(all, 0, 1);

let server: RunningGateway;
let front: RunningGateway;
/** What the library itself makes of the images. */
let expected: { before: number[]; after: number[]; suspicion: number[] };

beforeAll(async () => {
  server = await lastingGateway({
    models: {
      fashion: { ...FASHION, ...QUICK },
      both: { ...FASHION, ...QUICK, policy: "compare", threshold: 0.5 },
      watch: { ...FASHION, ...QUICK, policy: "detect", threshold: 0.5 },
      bare: { classifier: FASHION.classifier, policy: "pass" },
    },
  });
  const guarded = { upstream: "server", prior: FASHION.prior, ...QUICK } as const;
  front = await lastingGateway({
    upstreams: { server: server.address },
    models: {
      bare: { ...guarded, policy: "purify" },
      "*": { upstream: "server", policy: "pass" },
    },
  });
  const runtime = await createNodeRuntime({ threads: 1 });
  const classifier = await openClassifierAt(FASHION.classifier, runtime);
  const prior = await openPriorAt(FASHION.prior, runtime);
  const purifier = await openPurifier("diffpure", { preset: "fast" }, { classifier, prior });
  const judged = await purifier.purify(images, ids.slice(0, 4), { seed: 0 });
  expected = {
    before: [...judged.scores!.before.data],
    after: [...judged.scores!.after.data],
    suspicion: [...judged.suspicion],
  };
  await prior.dispose();
  await classifier.dispose();
});

afterAll(async () => {
  await front.close();
  await server.close();
});

const at = (model: string, gateway = server): string => `${gateway.address}/v2/models/${model}/infer`;

describe("a classifier behind no server", () => {
  test("answers with what the library makes of the same pictures, and says what was done", async () => {
    const { status, json, outputs, note } = await post(at("fashion"), jsonRequest(images, { id: "7" }));
    expect(status).toBe(200);
    expect(json).toMatchObject({ id: "7", model_name: "fashion" });
    expect(json.outputs?.[0]?.shape).toEqual([4, 10]);
    expect(outputs["probabilities"]).toBeAllclose(expected.after, { rtol: 0, atol: 1e-5 });
    expect(note).toMatchObject({ policy: "purify", method: "diffpure", preset: "fast", seed: 0, images: 4 });
    // Its threshold is the one that ships beside the prior.
    expect(note.flagged).toEqual([false, false, false, false]);
    expect(note.suspicion).toBeAllclose(expected.suspicion, { rtol: 1e-3, atol: 1e-4 });
    expect(JSON.parse(String(json.parameters?.["untrigger"]))).toEqual(note);
  });

  test("alone or in a batch, as JSON, bytes, halves, pictures or gzip, an image gets the same answer", async () => {
    const bytes = Uint8Array.from(bytesFromUnit(one));
    const png = await encodePng(picturesFromTensor(one, ["a"])[0]!);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(png.length);
    const shape = [1, 1, 28, 28];
    const raw = (datatype: string, data: Uint8Array, dims = shape) =>
      binaryRequest([{ name: "images", shape: dims, datatype, raw: data }], {
        parameters: { binary_data_output: true },
      });
    const requests = [
      { body: jsonRequest(one), headers: {} },
      // As clients write requests that have every key of the protocol, set or not.
      {
        body: jsonRequest(one, { id: null, parameters: null, outputs: null }).replace(
          '"datatype"',
          '"parameters":null,"datatype"',
        ),
        headers: {},
      },
      { body: gzipSync(jsonRequest(one)), headers: { "content-encoding": "gzip" } },
      raw("FP32", bytesOf(one.data)),
      raw("UINT8", bytes),
      raw("UINT8", bytes, [1, 28, 28, 1]),
      raw("BYTES", Buffer.concat([length, png]), [1]),
      {
        body: JSON.stringify({
          inputs: [{ name: "images", shape: [1], datatype: "BYTES", data: [Buffer.from(png).toString("base64")] }],
        }),
        headers: {},
      },
    ];
    for (const { body, headers } of requests) {
      const answer = await post(at("fashion"), body, headers as Record<string, string>);
      expect(answer.status, answer.json.error).toBe(200);
      expect(answer.outputs["probabilities"]).toBeAllclose(expected.after.slice(0, 10), { rtol: 0, atol: 1e-5 });
    }
  });

  test("compare answers with both and flags disagreement; detect answers with what came", async () => {
    const compared = await post(at("both"), jsonRequest(images));
    expect(compared.outputs["probabilities"]).toBeAllclose(expected.after, { rtol: 0, atol: 1e-5 });
    expect(compared.outputs["probabilities.unpurified"]).toBeAllclose(expected.before, { rtol: 0, atol: 1e-5 });
    expect(compared.note.flagged).toEqual(expected.suspicion.map((value) => value > 0.5));
    expect(compared.note.changed).toHaveLength(4);
    const watched = await post(at("watch"), jsonRequest(images));
    expect(watched.outputs["probabilities"]).toBeAllclose(expected.before, { rtol: 0, atol: 1e-5 });
    expect(watched.note.flagged).toEqual(compared.note.flagged);
    const bare = await post(at("bare"), jsonRequest(images));
    expect(bare.outputs["probabilities"]).toBeAllclose(expected.before, { rtol: 0, atol: 1e-5 });
    expect(bare.note).toEqual({ schema: "untrigger/note@1", policy: "pass", model: "bare", images: 4 });
  });

  test("an image that was purified before is remembered, to the bit", async () => {
    const fresh = rowsOf(all, 5, 6);
    const first = await post(at("fashion"), jsonRequest(fresh));
    const second = await post(at("fashion"), jsonRequest(fresh));
    expect([first.note.cached, second.note.cached]).toEqual([0, 1]);
    expect(second.outputs).toEqual(first.outputs);
  });

  test("says what it is and what it takes", async () => {
    const get = async (path: string): Promise<unknown> => (await fetch(server.address + path)).json();
    expect(await get("/v2")).toEqual({ name: "untrigger", version: "0.0.0", extensions: ["binary_tensor_data"] });
    expect(await get("/v2/models/both")).toMatchObject({
      name: "both",
      inputs: [{ name: "images", datatype: "FP32", shape: [-1, 1, 28, 28] }],
      outputs: [{ name: "probabilities", shape: [-1, 10] }, { name: "probabilities.unpurified" }],
    });
    expect(await get("/v2/models/both/versions/1/ready")).toEqual({ name: "both", ready: true });
    expect(await get("/v2/health/live")).toEqual({ live: true });
    expect(await get("/v2/health/ready")).toEqual({ ready: true });
  });

  test("counts what it does", async () => {
    await post(at("both"), jsonRequest(images));
    const text = await (await fetch(`${server.address}/metrics`)).text();
    expect(text).toMatch(
      /untrigger_requests_total\{route="\/v2\/models\/:model\/infer",model="both",status="200"\} \d+/,
    );
    expect(text).toMatch(/untrigger_stage_seconds_count\{stage="purify"\} \d+/);
    expect(text).toMatch(/untrigger_queue_images\{model="fashion"\} 0/);
    expect(text).toMatch(/untrigger_disagreement_ratio\{model="both"\} 0/);
  });
});

describe("in front of a server", () => {
  test("the server sees purified images and its answer comes back as it is", async () => {
    const through = await post(at("bare", front), jsonRequest(images));
    expect(through.status).toBe(200);
    expect(through.outputs["probabilities"]).toBeAllclose(expected.after, { rtol: 0, atol: 1e-5 });
    expect(through.note).toMatchObject({ policy: "purify", model: "bare", images: 4, changed: null });
  });

  test("under pass the bytes of request and answer are unchanged, whatever they are", async () => {
    const { url, received } = await serve(({ headers }, respond) => {
      respond.writeHead(299, { "x-own": "1", "content-type": "x/y", "content-encoding": "gzip" });
      respond.end(gzipSync(`{"got": "${headers["x-mine"]}"}`));
    });
    const passing = await lastingGateway({ upstreams: { u: url }, models: { "*": { upstream: "u", policy: "pass" } } });
    try {
      const body = gzipSync("not even JSON");
      const answer = await post(`${passing.address}/v2/models/any.thing/versions/3/infer?x=%20y`, body, {
        "content-encoding": "gzip",
        "content-type": "strange/type",
        "inference-header-content-length": "7",
        "x-mine": "kept",
      });
      expect(answer.status).toBe(299);
      expect(answer.headers.get("x-own")).toBe("1");
      expect(answer.body.toString()).toBe('{"got": "kept"}');
      const [request] = received;
      expect(request?.path).toBe("/v2/models/any.thing/versions/3/infer?x=%20y");
      expect(request?.body.equals(body)).toBe(true);
      expect(request?.headers).toMatchObject({
        "content-type": "strange/type",
        "inference-header-content-length": "7",
      });
    } finally {
      await passing.close();
    }
  });

  test("everything but the image reaches the server byte for byte", async () => {
    const { url, received } = await serve(() => ({
      model_name: "m",
      outputs: [{ name: "y", datatype: "FP32", shape: [1, 2], data: [0, 1] }],
    }));
    const guard = await lastingGateway({
      upstreams: { u: url },
      models: { m: { upstream: "u", prior: FASHION.prior, ...QUICK, input: "x" } },
    });
    try {
      const data = JSON.stringify(Array.from(one.data));
      const head =
        '{ "id":"a\\u0062",  "big": 12345678901234567890, "inputs":[ {"name":"n","shape":[1],"datatype":"INT64","data":[9007199254740993]},';
      const tail = ' "extra": [1.50, {"data": 1}] } ]}';
      const json = `${head} {"name":"x","shape":[1,1,28,28],"datatype":"FP32","data": ${data},${tail}`;
      const answer = await post(`${guard.address}/v2/models/m/infer`, json);
      expect(answer.status, answer.json.error).toBe(200);
      const [request] = received;
      const text = request!.body.toString();
      expect(text.startsWith(head)).toBe(true);
      expect(text.endsWith(tail)).toBe(true);
      expect(text).not.toBe(json);

      const other = Buffer.from([1, 2, 3, 4, 5, 6, 7, 8]);
      const binary = binaryRequest([
        { name: "n", shape: [1], datatype: "INT64", raw: other },
        { name: "x", shape: [1, 1, 28, 28], datatype: "FP32", raw: bytesOf(one.data) },
        { name: "z", shape: [1], datatype: "INT64", raw: other },
      ]);
      await post(`${guard.address}/v2/models/m/infer`, binary.body, binary.headers);
      const seen = received[1]!.body;
      expect(seen.length).toBe(binary.body.length);
      const [from, to] = [binary.body.length - 8 - 4 * 784, binary.body.length - 8];
      expect(seen.subarray(0, from).equals(binary.body.subarray(0, from))).toBe(true);
      expect(seen.subarray(to).equals(binary.body.subarray(to))).toBe(true);
      expect(seen.subarray(from, to).equals(binary.body.subarray(from, to))).toBe(false);
    } finally {
      await guard.close();
    }
  });

  test("compare joins both answers of the server, detect gives the one to what came", async () => {
    const guarded = { upstream: "server", prior: FASHION.prior, ...QUICK, threshold: 0.5 } as const;
    const start = (policy: "compare" | "detect") =>
      lastingGateway({ upstreams: { server: server.address }, models: { bare: { ...guarded, policy } } });
    const [comparing, detecting] = [await start("compare"), await start("detect")];
    try {
      for (const parameters of [{}, { binary_data_output: true }]) {
        const compared = await post(at("bare", comparing), jsonRequest(images, { parameters }));
        expect(compared.status, compared.json.error).toBe(200);
        expect(compared.outputs["probabilities"]).toBeAllclose(expected.after, { rtol: 0, atol: 1e-5 });
        expect(compared.outputs["probabilities.unpurified"]).toBeAllclose(expected.before, { rtol: 0, atol: 1e-5 });
        expect(compared.note.suspicion).toBeAllclose(expected.suspicion, { rtol: 1e-3, atol: 1e-4 });
      }
      const direct = await post(at("bare"), jsonRequest(images));
      const detected = await post(at("bare", detecting), jsonRequest(images));
      expect(detected.body.equals(direct.body)).toBe(true);
      expect(detected.note.flagged).toEqual(expected.suspicion.map((value) => value > 0.5));
    } finally {
      await comparing.close();
      await detecting.close();
    }
  });

  test("metadata is the server's own", async () => {
    const [direct, through] = await Promise.all(
      [server, front].map(async ({ address }) => (await fetch(`${address}/v2/models/bare`)).text()),
    );
    expect(through).toBe(direct);
    const [ours, theirs] = await Promise.all(
      [server, front].map(async ({ address }) => (await fetch(`${address}/v2`)).text()),
    );
    expect(theirs).toBe(ours);
  });
});
