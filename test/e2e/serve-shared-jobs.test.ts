/** @file Two gateways with one list of jobs on a Redis server, over HTTP. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createClient } from "../../src/client/index.ts";
import { decodePicture } from "../../src/images/node.ts";
import type { RunningGateway } from "../../src/server/start.ts";
import { runInside, startCli } from "../support/cli.ts";
import { FASHION, gateway, lastingGateway, QUICK } from "../support/gateway.ts";
import { hasRedis, type RedisServer, startRedis } from "../support/redis-server.ts";

const bytes = readFileSync(`${FASHION.classifier}/images/00000.png`);
const images = [{ name: "a", data: bytes.toString("base64") }];
const keys = [
  { name: "a", key: "key-of-team-a" },
  { name: "b", key: "key-of-team-b" },
];
const models = { m: { ...FASHION, ...QUICK } };

// biome-ignore lint/suspicious/noExplicitAny: JSON of any form, the tests say what they expect of it
type Json = any;

describe.skipIf(!hasRedis)(`two gateways with one list${hasRedis ? "" : " (needs redis-server)"}`, () => {
  let server: RedisServer;
  let gateways: readonly RunningGateway[];
  beforeAll(async () => {
    server = await startRedis();
    const jobs = { redis: server.url };
    gateways = [await lastingGateway({ models, keys, jobs }), await lastingGateway({ models, keys, jobs })];
  });
  afterAll(async () => {
    for (const one of gateways) await one.close();
    await server.kill();
  });

  const ask = async (
    which: number,
    path: string,
    { key = "key-of-team-a", body, method }: { key?: string; body?: object; method?: string } = {},
  ): Promise<{ readonly status: number; readonly headers: Headers; readonly json: Json }> => {
    const response = await fetch(gateways[which]!.address + path, {
      method: method ?? (body === undefined ? "GET" : "POST"),
      headers: { authorization: `Bearer ${key}` },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, json: text.startsWith("{") ? JSON.parse(text) : text };
  };

  test("what one is asked the other tells, hands out and forgets; of a job of its own key alone", async () => {
    const { status, json: job } = await ask(0, "/api/jobs/purify", { body: { images } });
    expect(status, job.error).toBe(202);
    const { json: events } = await ask(1, job.links.events);
    expect(events).toMatch(/event: image\ndata: {"name":"a"[\s\S]+event: job\ndata: {[^\n]*"state":"done"[^\n]*\n\n$/);
    const results = [await ask(0, job.links.result), await ask(1, job.links.result)];
    expect(results[1]!.json).toEqual(results[0]!.json);
    const { json: listed } = await ask(1, job.links.files);
    expect(listed.files.map(({ path }: Json) => path)).toEqual([
      "evidence/a.png",
      "images/a.png",
      "inputs/a.png",
      "maps/a.difference.png",
    ]);
    expect((await ask(1, job.links.self, { key: "key-of-team-b" })).status).toBe(404);
    expect((await ask(1, "/api/jobs")).json.jobs).toMatchObject([{ id: job.id, state: "done" }]);
    expect((await ask(1, job.links.self, { method: "DELETE" })).status).toBe(204);
    expect((await ask(0, job.links.self)).status).toBe(404);
    expect((await ask(0, "/api/jobs")).json).toEqual({ jobs: [] });
  });

  test("a client sees no difference; a wrong request is refused by whoever is asked", async () => {
    const client = createClient(gateways[1]!.address, { key: "key-of-team-b" });
    const { images: purified } = await client.purify({ "a.png": bytes }, { maps: true });
    expect(await decodePicture(purified[0]!.maps["difference"]!, "a")).toMatchObject({ height: 28, width: 28 });
    await expect(client.purify({ "a.png": bytes }, { method: "difpure" })).rejects.toThrow('Did you mean "diffpure"?');
    await expect(client.purify({ "a.png": Uint8Array.of(1) })).rejects.toThrow("a: expected a PNG");
  });

  test("a server that went away is told in one sentence, holds up no image, and is found again", async () => {
    await server.kill();
    const { status, headers, json } = await ask(0, "/api/jobs/purify", { body: { images } });
    expect([status, headers.get("retry-after"), json]).toEqual([
      503,
      "5",
      {
        error: "jobs: expected an answer of the Redis server that keeps them, got none. Do ask again in 5 s.",
        code: "away",
      },
    ]);
    expect((await ask(1, "/api/jobs")).status).toBe(503);
    const data = Array.from({ length: 28 * 28 }, () => 0.5);
    const inputs = [{ name: "images", datatype: "FP32", shape: [1, 1, 28, 28], data }];
    expect((await ask(0, "/v2/models/m/infer", { body: { inputs } })).status).toBe(200);
    await server.start();
    let answer = await ask(0, "/api/jobs/purify", { body: { images } });
    while (answer.status === 503) answer = await ask(0, "/api/jobs/purify", { body: { images } });
    expect((await ask(1, answer.json.links.events)).json).toContain('"state":"done"');
  });
});

test.skipIf(!hasRedis)(
  "a gateway ends in time when its server has gone",
  async () => {
    const server = await startRedis();
    const flags = ["--classifier", FASHION.classifier, "--prior", FASHION.prior, "--port", "0", "--redis", server.url];
    const { process: child, result } = startCli(["serve", ...flags, "--threads", "1", "--json"]);
    await new Promise((resolve) => child.stdout?.once("data", resolve));
    await server.kill();
    const before = performance.now();
    child.kill("SIGTERM");
    const { code, stderr } = await result;
    expect(code, stderr).toBe(0);
    // The time of grace, 30 s, is for what runs, and nothing does.
    expect(performance.now() - before).toBeLessThan(25_000);
  },
  120_000,
);

test("a server that is not there is told at the start", async () => {
  const flags = ["--classifier", FASHION.classifier, "--prior", FASHION.prior, "--port", "0"];
  const { code, stderr } = await runInside(["serve", ...flags, "--redis", "redis://127.0.0.1:1"]);
  expect([code, stderr]).toEqual([
    3,
    expect.stringMatching(/^untrigger: redis:\/\/127\.0\.0\.1:1: expected a [^\n]*\.\n$/),
  ]);
  const jobs = { redis: "redis://:secret@127.0.0.1:1" };
  await expect(gateway({ models, jobs })).rejects.toThrow(
    /^redis:\/\/127\.0\.0\.1:1: expected a Redis server, got .*\.$/,
  );
  await expect(gateway({ models, jobs: { redis: "somewhere" } })).rejects.toThrow(
    /^redis: expected an address such as/,
  );
});
