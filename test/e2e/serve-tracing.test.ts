/** @file Traces of the gateway, as a collector gets them: OTLP over HTTP, at a receiver of a few lines. */
import { describe, expect, onTestFinished, test } from "vitest";
import { parseTraceparent } from "../../src/server/trace-context.ts";
import { rowsOf } from "../../src/tensor/rows.ts";
import { FASHION, lastingGateway, QUICK } from "../support/gateway.ts";
import { call, inferRequest } from "../support/grpc.ts";
import { type Received, serve } from "../support/http-server.ts";
import { bytesOf, jsonRequest, post } from "../support/infer.ts";
import { shippedPictures } from "../support/shipped-pictures.ts";

const { images } = await shippedPictures(`${FASHION.classifier}/images`);
const two = rowsOf(images, 0, 2);
const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const CLIENT = "00f067aa0ba902b7";
const TRACEPARENT = `00-${TRACE}-${CLIENT}-01`;

interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly status: { readonly code?: number };
  readonly attributes: readonly {
    readonly key: string;
    readonly value: { readonly stringValue?: string; readonly intValue?: number };
  }[];
}

/** Every span that a collector got. */
function spansOf(received: readonly Received[]): OtlpSpan[] {
  return received.flatMap(({ body }) => {
    const { resourceSpans } = JSON.parse(body.toString()) as {
      resourceSpans: { scopeSpans: { spans: OtlpSpan[] }[] }[];
    };
    return resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans));
  });
}

const factsOf = ({ attributes }: OtlpSpan): Record<string, unknown> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, value.stringValue ?? value.intValue]));

describe("traces", () => {
  test("a request is a span under its client's, its parts are spans below, and the server is told of the last", async () => {
    const collector = await serve(() => ({}));
    const upstream = await serve(() => ({
      outputs: [{ name: "y", datatype: "FP32", shape: [2, 2], data: [0, 1, 1, 0] }],
    }));
    const gateway = await lastingGateway({
      tracing: { otlp: collector.url, service: "front" },
      upstreams: { u: upstream.url },
      models: { guarded: { upstream: "u", prior: FASHION.prior, ...QUICK }, "*": { upstream: "u", policy: "pass" } },
    });
    const body = jsonRequest(two);
    const headers = { traceparent: TRACEPARENT, tracestate: "a=1", "content-type": "application/json" };
    const ask = (model: string, more: Record<string, string> = headers) =>
      post(`${gateway.address}/v2/models/${model}/infer`, body, more);
    expect((await ask("guarded")).status).toBe(200);
    expect((await ask("free")).status).toBe(200);
    expect((await ask("free", { traceparent: "odd", tracestate: "a=1" })).status).toBe(200);
    expect((await post(`${gateway.address}/v2/models/guarded/infer`, "{}", headers)).status).toBe(422);
    await gateway.close();

    expect(collector.received[0]?.path).toBe("/v1/traces");
    expect(collector.received[0]?.body.toString()).toContain('"stringValue":"front"');
    const spans = spansOf(collector.received);
    const requests = spans.filter(({ name }) => name === "POST /v2/models/:model/infer");
    expect(requests.map((span) => [span.traceId === TRACE, span.parentSpanId ?? ""])).toEqual([
      [true, CLIENT],
      [true, CLIENT],
      [false, ""],
      [true, CLIENT],
    ]);
    const below = ({ spanId }: OtlpSpan): OtlpSpan[] => spans.filter(({ parentSpanId }) => parentSpanId === spanId);
    const [guarded, free, fresh, refused] = requests as [OtlpSpan, OtlpSpan, OtlpSpan, OtlpSpan];
    expect(below(guarded).map(({ name }) => name)).toEqual(["decode", "purify", "encode", "upstream"]);
    expect(below(free).map(({ name, kind }) => [name, kind])).toEqual([["upstream", 3]]);
    expect(below(refused).map(({ name, status }) => [name, status.code])).toEqual([["decode", 2]]);
    for (const part of below(guarded)) {
      expect(BigInt(part.startTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(guarded.startTimeUnixNano));
      expect(BigInt(part.endTimeUnixNano)).toBeLessThanOrEqual(BigInt(guarded.endTimeUnixNano));
    }
    expect(factsOf(guarded)).toMatchObject({
      "untrigger.entry": "guarded",
      "untrigger.policy": "purify",
      "untrigger.images": 2,
      "http.response.status_code": 200,
    });
    expect(factsOf(free)).toMatchObject({ "untrigger.entry": "*", "untrigger.policy": "pass" });
    expect([refused.status.code, factsOf(refused)["error.type"]]).toEqual([2, "format"]);

    // The server is asked by the part of the request that asks it; under `pass` the body stays as it came.
    const asked = upstream.received.map((one) => parseTraceparent(String(one.headers["traceparent"])));
    expect(asked.map((one) => one?.spanId)).toEqual(
      [guarded, free, fresh].map((span) => below(span).find(({ name }) => name === "upstream")?.spanId),
    );
    expect(asked.map((one) => one?.traceId)).toEqual([TRACE, TRACE, fresh.traceId]);
    expect(upstream.received.map((one) => one.headers["tracestate"])).toEqual(["a=1", "a=1", undefined]);
    expect(upstream.received[1]?.body.toString()).toBe(body);
    // Nothing that the request holds.
    const sent = Buffer.concat(collector.received.map((one) => one.body)).toString();
    expect(sent).not.toContain(String(two.data.find((value) => value > 0 && value < 1)));
    expect(sent.length / spans.length).toBeLessThan(1500);
  });

  test("gRPC is traced alike, from client to server", async () => {
    const collector = await serve(() => ({}));
    const tracing = { otlp: `${collector.url}/v1/traces` };
    const server = await lastingGateway({
      tracing: { ...tracing, service: "behind" },
      models: { bare: { classifier: FASHION.classifier, policy: "pass" } },
      grpcPort: 0,
    });
    const front = await lastingGateway({
      tracing,
      upstreams: { s: server.address },
      grpcUpstreams: { s: `127.0.0.1:${server.grpcPort}` },
      models: { "*": { upstream: "s", policy: "pass" } },
      grpcPort: 0,
    });
    await call(front, "ModelInfer", inferRequest("bare", { raw: bytesOf(two.data) }), {
      metadata: { traceparent: TRACEPARENT },
    });
    await front.close();
    await server.close();
    const spans = spansOf(collector.received);
    const line: string[] = [];
    for (let parent = CLIENT; ; ) {
      const next = spans.find(({ parentSpanId }) => parentSpanId === parent);
      if (next === undefined) break;
      expect(next.traceId).toBe(TRACE);
      line.push(next.name);
      parent = next.spanId;
    }
    const method = "inference.GRPCInferenceService/ModelInfer";
    expect(line.slice(0, 3)).toEqual([method, "upstream", method]);
    expect(spans.map(({ name }) => name).sort()).toEqual(["classify", "decode", method, method, "upstream"]);
  });

  test("a collector that is away changes no answer; without tracing the client's header goes on as it is", async () => {
    const upstream = await serve(() => ({ outputs: [] }));
    const models = { "*": { upstream: "u", policy: "pass" } } as const;
    for (const tracing of [{ otlp: "http://127.0.0.1:1" }, undefined]) {
      const gateway = await lastingGateway({ tracing, upstreams: { u: upstream.url }, models });
      onTestFinished(() => gateway.close());
      const { status } = await post(`${gateway.address}/v2/models/m/infer`, "{}", { traceparent: TRACEPARENT });
      expect(status).toBe(200);
    }
    const [traced, untraced] = upstream.received.map(({ headers }) => headers["traceparent"]);
    expect(parseTraceparent(String(traced))).toMatchObject({ traceId: TRACE });
    expect(traced).not.toBe(TRACEPARENT);
    expect(untraced).toBe(TRACEPARENT);
  });
});
