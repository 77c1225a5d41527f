/** @file The gateway over TLS, with a certificate of its own: as a server over HTTP and gRPC, and towards its upstreams. */
import { writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { BinaryWriter } from "@bufbuild/protobuf/wire";
import { Agent, request } from "undici";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { parseConfig } from "../../src/server/config.ts";
import type { RunningGateway } from "../../src/server/start.ts";
import { rowsOf } from "../../src/tensor/rows.ts";
import { type Certificate, makeCertificate, withoutOpenssl } from "../support/certificate.ts";
import { runInside } from "../support/cli.ts";
import { FASHION, lastingGateway, QUICK } from "../support/gateway.ts";
import { call, failure, inferRequest, outputsOf } from "../support/grpc.ts";
import { bytesOf, jsonRequest, post } from "../support/infer.ts";
import { shippedPictures } from "../support/shipped-pictures.ts";

const { images } = await shippedPictures(`${FASHION.classifier}/images`);
const two = rowsOf(images, 0, 2);

describe.skipIf(withoutOpenssl !== undefined)(`TLS${withoutOpenssl === undefined ? "" : `: ${withoutOpenssl}`}`, () => {
  let own: Certificate;
  let foreign: Certificate;
  let ca: Buffer;
  let server: RunningGateway;
  beforeAll(async () => {
    [own, foreign] = [makeCertificate(), makeCertificate()];
    ca = await readFile(own.cert);
    server = await lastingGateway({
      tls: own,
      models: { m: { ...FASHION, ...QUICK }, bare: { classifier: FASHION.classifier, policy: "pass" } },
      grpcPort: 0,
    });
  });
  afterAll(() => server.close());

  /** An answer over HTTPS, from a client that trusts these authorities. */
  async function ask(path: string, body: string, trusted: Buffer | undefined) {
    const dispatcher = new Agent({ connect: trusted === undefined ? {} : { ca: trusted } });
    onTestFinished(() => dispatcher.close());
    const answer = await request(server.address + path, { method: "POST", body, dispatcher });
    return { status: answer.statusCode, json: (await answer.body.json()) as { outputs: { data: number[] }[] } };
  }

  test("HTTPS and gRPC over TLS are answered alike", async () => {
    expect(server.address).toMatch(/^https:/);
    const { status, json } = await ask("/v2/models/m/infer", jsonRequest(two), ca);
    expect(status).toBe(200);
    const { bytes, note } = await call(server, "ModelInfer", inferRequest("m", { raw: bytesOf(two.data) }), { ca });
    expect(outputsOf(bytes)["probabilities"]).toBeAllclose(json.outputs[0]!.data, { rtol: 0, atol: 1e-6 });
    expect(note).toMatchObject({ policy: "purify", images: 2 });
  });

  test("plain requests, and clients that trust others, fail at once and disturb nobody", async () => {
    const plain = server.address.replace("https:", "http:");
    await expect(fetch(`${plain}/v2/health/live`)).rejects.toThrow();
    await expect(ask("/v2/models/m/infer", jsonRequest(two), undefined)).rejects.toThrow(/self.signed certificate/);
    const message = new BinaryWriter().tag(1, 2).string("m").finish();
    expect((await failure(call(server, "ModelReady", message))).code).toBe(14);
    const stranger = await readFile(foreign.cert);
    expect((await failure(call(server, "ModelReady", message, { ca: stranger }))).code).toBe(14);
    expect((await ask("/v2/models/bare/infer", jsonRequest(two), ca)).status).toBe(200);
  });

  test("upstreams are asked over TLS, and trusted by the authorities of the configuration as they are now", async () => {
    const config = {
      upstreams: { s: server.address.replace("127.0.0.1", "localhost") },
      grpcUpstreams: { s: `grpcs://localhost:${server.grpcPort}` },
      upstreamCa: own.cert,
      models: {
        bare: { upstream: "s", prior: FASHION.prior, ...QUICK },
        "*": { upstream: "s", policy: "pass" },
      },
    } as const;
    const front = await lastingGateway({ ...config, grpcPort: 0 });
    try {
      const http = async (model: string) => await post(`${front.address}/v2/models/${model}/infer`, jsonRequest(two));
      const grpc = (model: string) => call(front, "ModelInfer", inferRequest(model, { raw: bytesOf(two.data) }));
      const expected = (await ask("/v2/models/m/infer", jsonRequest(two), ca)).json.outputs[0]!.data;
      for (const model of ["m", "bare"]) {
        const answer = await http(model);
        expect(answer.outputs["probabilities"], answer.json.error).toBeAllclose(expected, { rtol: 0, atol: 1e-5 });
        const { bytes } = await grpc(model);
        expect(outputsOf(bytes)["probabilities"]).toBeAllclose(expected, { rtol: 0, atol: 1e-5 });
      }
      await front.reload(parseConfig({ ...config, upstreamCa: foreign.cert }));
      const refused = await http("m");
      expect([refused.status, refused.json.error]).toEqual([502, expect.stringMatching(/self.signed certificate/)]);
      expect((await failure(grpc("m"))).code).toBe(14);
      await expect(front.reload(parseConfig({ ...config, upstreamCa: own.key }))).rejects.toThrow(
        "expected certificates, PEM, got other text; because no certificate begins in it.",
      );
      expect((await http("m")).status).toBe(502);
      await front.reload(parseConfig(config));
      expect((await http("m")).status).toBe(200);
      await grpc("m");
    } finally {
      await front.close();
    }
  });

  test("a certificate, key or authority that is wrong is one sentence at the start", async () => {
    const text = join(own.cert, "../text.pem");
    writeFileSync(text, "not PEM");
    const serve = ["serve", "--classifier", FASHION.classifier, "--policy", "pass", "--port", "0"];
    const tls = (cert: string, key: string): string[] => ["--tls-cert", cert, "--tls-key", key];
    const wrong: [string[], RegExp][] = [
      [tls(own.cert, foreign.key), /got others; because key values mismatch\./],
      [tls(text, own.key), /text\.pem and its key in .*key\.pem, both PEM, got others; because no start line\./],
      [tls(own.cert, text), /got others; because .+\./],
      [tls(own.cert, "nowhere.pem"), /nowhere\.pem: expected a file, got nothing there\./],
      [["--upstream-ca", text], /text\.pem: expected certificates, PEM, got other text/],
    ];
    for (const [flags, sentence] of wrong) {
      const { code, stderr } = await runInside([...serve, ...flags]);
      expect(stderr).toMatch(sentence);
      expect(stderr.trim().split("\n")).toHaveLength(1);
      expect(code).toBe(2);
    }
  });
});
