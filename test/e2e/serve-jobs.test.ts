/** @file Jobs over HTTP: the command line's work with the command line's document, watched, fetched and cancelled. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { decodePicture } from "../../src/images/node.ts";
import { auditRecord } from "../../src/results/audit-record.ts";
import type { RunningGateway } from "../../src/server/start.ts";
import { runInside } from "../support/cli.ts";
import { FASHION, gateway, lastingGateway, QUICK } from "../support/gateway.ts";

const folder = `${FASHION.classifier}/images`;
const labels = JSON.parse(readFileSync(`${folder}/labels.json`, "utf8")) as Record<string, number>;
const pictures = (count: number, labelled = false) =>
  Object.keys(labels)
    .sort()
    .slice(0, count)
    .map((name) => ({
      name,
      data: readFileSync(`${folder}/${name}`).toString("base64"),
      ...(labelled ? { label: labels[name] } : {}),
    }));

let served: RunningGateway;
/** A folder for what commands remember, with a clean prior for audits to compare with. */
let cache: string;
beforeAll(async () => {
  cache = await mkdtemp(join(tmpdir(), "untrigger-jobs-test-"));
  const references = join(cache, "references");
  const small = ["widths=8,8", "trainTimesteps=10", "epochs=1", "batch=4"].flatMap((setting) => ["--set", setting]);
  const where = ["--data", folder, "--limit", "16", "-o", join(references, "1"), "--quiet"];
  expect(await runInside(["train", "prior", ...small, ...where])).toMatchObject({ code: 0 });
  const classifier = { path: FASHION.classifier, references: "models/fashion-mnist-references" };
  const models = { m: { ...FASHION, classifier, ...QUICK, references } };
  served = await lastingGateway({ models, limits: { jobs: 2, jobImages: 64 } });
});
afterAll(async () => {
  await served.close();
  await rm(cache, { recursive: true });
});

/** JSON of any form: the tests say what they expect of it. */
// biome-ignore lint/suspicious/noExplicitAny: see above
type Json = any;

const ask = async (path: string, init: RequestInit = {}): Promise<{ status: number; json: Json; headers: Headers }> => {
  const response = await fetch(served.address + path, init);
  const text = await response.text();
  return { status: response.status, headers: response.headers, json: text === "" ? undefined : JSON.parse(text) };
};
const start = (kind: string, body: object) => ask(`/api/jobs/${kind}`, { method: "POST", body: JSON.stringify(body) });

/** All events of a job, to its end. */
async function eventsOf(path: string): Promise<{ event: string; data: Json }[]> {
  const text = await (await fetch(served.address + path)).text();
  return text
    .trim()
    .split("\n\n")
    .map((block) => {
      const [, event = "", data = ""] = /^id: \d+\nevent: (.*)\ndata: (.*)$/.exec(block) ?? [];
      return { event, data: JSON.parse(data) };
    });
}

describe("purify", () => {
  test("gives the command line's document, rows as they come, and pictures by link", async () => {
    const { status, json: job, headers } = await start("purify", { images: pictures(20) });
    expect(status).toBe(202);
    expect(headers.get("location")).toBe(job.links.self);
    const events = await eventsOf(job.links.events);
    expect(events.filter(({ event }) => event === "image")).toHaveLength(20);
    expect(events.at(-1)).toMatchObject({ event: "job", data: { state: "done", error: null } });
    const { json: result } = await ask(job.links.result);

    const out = await mkdtemp(join(tmpdir(), "untrigger-job-test-"));
    const named = pictures(20).map(({ name }) => `${folder}/${name}`);
    const flags = [
      "--preset",
      "fast",
      "--prior",
      FASHION.prior,
      "--classifier",
      FASHION.classifier,
      "--json",
      "--quiet",
    ];
    const { stdout } = await runInside(["purify", ...named, "-o", out, ...flags]);
    const { output, seconds, images, ...expected } = JSON.parse(stdout);
    expect(result).toMatchObject(expected);
    expect(result.images.map((row: Json) => [row.name, row.label, row.labelBefore])).toEqual(
      images.map((row: Json) => [row.name, row.label, row.labelBefore]),
    );
    const [row] = result.images;
    for (const path of [
      row.output,
      `inputs/${row.name}.png`,
      `evidence/${row.name}.png`,
      `maps/${row.name}.difference.png`,
    ]) {
      const file = await fetch(`${served.address}${job.links.files}/${path}`);
      expect([file.status, file.headers.get("content-type")], path).toEqual([200, "image/png"]);
      const bytes = new Uint8Array(await file.arrayBuffer());
      expect(await decodePicture(bytes, path)).toMatchObject({ channels: expect.any(Number) });
      if (path === row.output) expect(Buffer.from(bytes).equals(readFileSync(join(out, path)))).toBe(true);
    }
    await rm(out, { recursive: true });

    const { json: listed } = await ask(job.links.files);
    expect(listed.total).toBe(4 * 20);
    const paths: string[] = listed.files.map(({ path }: Json) => path);
    expect(paths).toEqual([...paths].sort());
    expect(paths).toContain(`maps/${row.name}.difference.png`);
    const [{ bytes, link }] = listed.files;
    expect((await (await fetch(served.address + link)).arrayBuffer()).byteLength).toBe(bytes);
    expect((await fetch(served.address + job.links.self, { method: "DELETE" })).status).toBe(204);
    expect((await ask(job.links.result)).status).toBe(404);
  });

  test("a job can be cancelled, and takes its files along", async () => {
    const { json: job } = await start("purify", {
      images: pictures(20),
      request: { method: "diffpure", preset: "paper", options: { rounds: 20 } },
    });
    const watching = eventsOf(job.links.events);
    while ((await ask(job.links.self)).json.state === "waiting")
      await new Promise((resolve) => setTimeout(resolve, 10));
    expect((await ask(job.links.result)).status).toBe(409);
    const before = jobFolders();
    expect((await fetch(served.address + job.links.self, { method: "DELETE" })).status).toBe(204);
    expect((await watching).at(-1)).toMatchObject({ event: "job", data: { state: "cancelled" } });
    expect((await ask(job.links.self)).status).toBe(404);
    expect(jobFolders().length).toBeLessThan(before.length);
  });

  test("a picture that is none fails the job in one sentence", async () => {
    const { json: job } = await start("purify", { images: [{ name: "a", data: "aGVsbG8=" }] });
    expect((await eventsOf(job.links.events)).at(-1)?.data).toMatchObject({
      state: "failed",
      error: {
        error: "a: expected a PNG, JPEG, WebP or TIFF picture, got 5 bytes that start with 68 65 6c 6c 6f.",
        code: "format",
      },
    });
    expect(await ask(job.links.result)).toMatchObject({ status: 422, json: { code: "format" } });
  });
});

function jobFolders(): string[] {
  return readdirSync(tmpdir()).filter((name) => name.startsWith("untrigger-job-") && existsSync(join(tmpdir(), name)));
}

describe("scan", () => {
  test("gives the command line's record and its page", async () => {
    const { status, json: job } = await start("scan", {
      images: pictures(12, true),
      request: { method: ["plain-adv"], classes: [0, 1] },
    });
    expect(status, job.error).toBe(202);
    const last = (await eventsOf(job.links.events)).at(-1)?.data;
    expect(last).toMatchObject({ state: "done", error: null });
    const { json: record } = await ask(job.links.result);
    // Of a class there is nothing but the search's success to see, without the references of the configuration.
    expect(record).toMatchObject({ verdict: "backdoored", targets: [0], classes: expect.any(Array) });
    const page = await fetch(`${served.address}${job.links.files}/index.html`);
    expect([page.status, page.headers.get("content-type")]).toEqual([200, "text/html; charset=utf-8"]);
    expect(page.headers.get("content-security-policy")).toContain("sandbox");
    // Read to its end: an answer that nobody takes keeps its connection, and with it the gateway.
    const text = await page.text();
    expect(text).toContain("<title>Scan of m</title>");
    expect(text).not.toContain("models/");
  }, 300_000);
});

describe("audit", () => {
  const options = { iterations: 1, samples: 2, steps: 2, pruningEpochs: 1, pruningSteps: 1, pruningBatch: 4 };

  test("gives the command line's record of the model's own prior, and its page", async () => {
    vi.stubEnv("UNTRIGGER_DATA", cache);
    onTestFinished(() => void vi.unstubAllEnvs());
    const {
      status,
      json: job,
      headers,
    } = await start("audit", {
      request: { options, fpr: 0.2, seed: 3 },
      images: pictures(5),
    });
    expect([status, headers.get("location")], job.error).toEqual([202, job.links.self]);
    expect((await eventsOf(job.links.events)).at(-1)?.data).toMatchObject({ state: "done", error: null });
    const { json: result } = await ask(job.links.result);
    const { seconds, ...record } = result;
    expect(auditRecord.parse(record)).toMatchObject({
      // Of two priors none can score so high that its p-value is below .5; without references it were undecided.
      verdict: "clean",
      falsePositiveRate: 0.2,
      seed: 3,
      references: [{ name: "1" }],
      pruning: { epochs: [expect.anything()] },
    });
    expect([typeof seconds, "output" in result]).toEqual(["number", false]);
    const page = await fetch(`${served.address}${job.links.files}/index.html`);
    expect(page.status).toBe(200);
    const text = await page.text();
    expect(text).toContain("Supply chain");
    expect(text).toContain("<title>Audit of the prior of m</title>");
    const { json: listed } = await ask(job.links.files);
    const paths: string[] = listed.files.map(({ path }: Json) => path);
    expect(paths).toEqual(
      expect.arrayContaining([
        "audit.json",
        "index.html",
        "pictures/found.png",
        "pictures/samples.png",
        "results.jsonl",
      ]),
    );
    // Neither the request's pictures nor anything else that lies beside the result.
    expect(paths.filter((path) => path.includes("given"))).toEqual([]);
  }, 300_000);

  test("its failure is told in the command line's words", async () => {
    const { json: job } = await start("audit", { request: { options: { stepz: 2 } } });
    expect((await eventsOf(job.links.events)).at(-1)?.data).toMatchObject({
      state: "failed",
      error: { error: expect.stringMatching(/^[^\n]*"?stepz"?[^\n]*$/), code: "option" },
    });
  });

  test("is offered where a model has a prior, and refused where it has none", async () => {
    const bare = await gateway({ models: { m: { classifier: FASHION.classifier, policy: "pass" } } });
    expect(await (await fetch(`${bare.address}/api`)).json()).toMatchObject({ jobs: ["purify", "scan"] });
    const answer = await fetch(`${bare.address}/api/jobs/audit`, { method: "POST", body: "{}" });
    expect([answer.status, ((await answer.json()) as Json).error]).toEqual([
      400,
      "audit: expected a model with a prior, got one without. Do name it in the configuration.",
    ]);
  });

  test("references that are none are told before anything is served", async () => {
    const models = { m: { ...FASHION, ...QUICK, references: "models/fashion-mnist-prior/nowhere" } };
    await expect(lastingGateway({ models })).rejects.toThrow(/nowhere: expected a folder of clean priors/);
    const classifier = { path: FASHION.classifier, references: "models" };
    await expect(lastingGateway({ models: { m: { ...FASHION, classifier, ...QUICK } } })).rejects.toThrow(
      "models: expected clean classifiers to compare with, got none. Do make them first: untrigger scan references",
    );
  });
});

describe("refusals", () => {
  test.each([
    ["purify", {}, 400, "images"],
    ["purify", { images: [] }, 400, "from 1 to 64 pictures, got 0"],
    ["purify", { images: pictures(1), model: "n" }, 404, "served here"],
    ["purify", { images: pictures(1), model: "http://169.254.169.254/" }, 404, "served here"],
    ["purify", { images: pictures(1), classifier: "http://169.254.169.254/" }, 400, "classifier"],
    ["purify", { images: pictures(1), request: { method: "difpure" } }, 400, 'Did you mean "diffpure"?'],
    ["purify", { images: pictures(1), request: { options: { t: -1 } } }, 400, "t"],
    ["purify", { images: [{ name: "../../etc/x", data: "" }] }, 400, "names of letters"],
    ["purify", { images: [{ name: "a/../b", data: "" }] }, 400, "names of letters"],
    ["purify", { images: [{ name: "/a", data: "" }] }, 400, "names of letters"],
    ["purify", { images: [...pictures(1), ...pictures(1)] }, 400, "every name once"],
    ["scan", { images: pictures(1), request: { options: { "x --out": 1 } } }, 400, "names of letters"],
    ["scan", { images: pictures(1), request: { prior: "/etc/passwd" } }, 400, "prior"],
    ["bench", { plan: {} }, 403, "kind that is allowed"],
    ["scan", { images: [...pictures(1, true), { ...pictures(2)[1], name: "b" }] }, 400, "all 2 or for none, got 1"],
    ["audit", { model: "n" }, 404, "served here"],
    ["audit", { request: { prior: "/etc/passwd" } }, 400, "prior"],
    ["audit", { request: { references: "/etc" } }, 400, "references"],
    ["audit", { request: { options: { "x --out": 1 } } }, 400, "names of letters"],
    ["audit", { request: { fpr: 1 } }, 400, "fpr"],
    ["audit", { images: pictures(1, true) }, 400, "label"],
    ["audit", { images: pictures(20).map((one, i) => ({ ...one, name: `${i % 19}` })) }, 400, "every name once"],
    ["train", {}, 404, "expected an address"],
  ])("%s %#", async (kind, body, status, words) => {
    const answer = await start(kind, body);
    expect([answer.status, answer.json.error]).toEqual([status, expect.stringContaining(words)]);
  });

  test("files outside of a job's folder", async () => {
    const { json: job } = await start("purify", { images: pictures(1) });
    await eventsOf(job.links.events);
    for (const path of ["..%2f..%2fetc%2fpasswd", "%2e%2e/%2e%2e/etc/passwd", "images", "", "images%5c..%5cx", "%00"]) {
      expect((await ask(`${job.links.files}/${path}`)).status).toBe(404);
    }
  });

  test("more jobs than may wait; jobs of another key", async () => {
    const slow = { images: pictures(20), request: { preset: "paper", options: { rounds: 20 } } };
    const first = await start("purify", slow);
    const second = await start("purify", slow);
    const third = await start("purify", slow);
    expect([first.status, second.status, third.status]).toEqual([202, 202, 429]);
    for (const { json } of [second, first]) await ask(json.links.self, { method: "DELETE" });

    const locked = await gateway({
      models: { m: { ...FASHION, ...QUICK } },
      keys: [
        { name: "a", key: "key-of-team-a" },
        { name: "b", key: "key-of-team-b" },
      ],
    });
    const as = (key: string, path: string, init: RequestInit = {}): Promise<Response> =>
      fetch(locked.address + path, { ...init, headers: { authorization: `Bearer ${key}` } });
    const made = await as("key-of-team-a", "/api/jobs/purify", {
      method: "POST",
      body: JSON.stringify({ images: pictures(1) }),
    });
    const { links } = (await made.json()) as { links: { self: string } };
    expect((await as("key-of-team-a", links.self)).status).toBe(200);
    expect((await as("key-of-team-b", links.self)).status).toBe(404);
    expect(await (await as("key-of-team-b", "/api/jobs")).json()).toEqual({ jobs: [] });
  });
});

test("says what it serves and which methods there are", async () => {
  const { json } = await ask("/api");
  expect(json).toMatchObject({
    schema: "untrigger/gateway@1",
    models: [
      {
        name: "m",
        policy: "purify",
        method: "diffpure",
        preset: "fast",
        votes: 1,
        prior: true,
        scan: true,
        input: { channels: 1, height: 28, width: 28 },
      },
    ],
    jobs: ["purify", "scan", "audit"],
  });
  const { stdout } = await runInside(["methods", "--json"]);
  expect((await ask("/api/methods")).json).toEqual(JSON.parse(stdout));
});
