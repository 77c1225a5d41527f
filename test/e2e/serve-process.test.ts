/** @file `untrigger serve` as a process: what it prints, how it follows its configuration, how it ends. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { rowsOf } from "../../src/tensor/rows.ts";
import { runInside, startCli } from "../support/cli.ts";
import { FASHION } from "../support/gateway.ts";
import { jsonRequest, post } from "../support/infer.ts";
import { shippedPictures } from "../support/shipped-pictures.ts";

const { images } = await shippedPictures(`${FASHION.classifier}/images`);
const one = rowsOf(images, 0, 1);

/** Starts the command and waits until it listens. */
async function start(args: readonly string[], env = {}) {
  const run = startCli(["serve", "--port", "0", "--json", "--threads", "1", ...args], env);
  onTestFinished(() => void run.process.kill("SIGKILL"));
  const words = { out: "", err: "" };
  run.process.stderr!.on("data", (piece: string) => {
    words.err += piece;
  });
  const listening = new Promise<{ address: string; models: string[] }>((found, fail) => {
    run.process.stdout!.on("data", (piece: string) => {
      words.out += piece;
      if (words.out.includes("\n")) found(JSON.parse(words.out));
    });
    run.process.on("exit", () => fail(new Error(words.err)));
  });
  return { ...run, words, ...(await listening) };
}

/** Waits until something is true. */
async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 300; i++) {
    if (await holds()) return;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error("it never became true");
}

describe("untrigger serve", () => {
  test("serves a classifier, asks for its key, logs no image, and at SIGTERM finishes what it took", async () => {
    const {
      address,
      models,
      process: child,
      result,
      words,
    } = await start(
      ["--classifier", FASHION.classifier, "--prior", FASHION.prior, "--method", "diffpure", "--set", "t=100"],
      { UNTRIGGER_KEYS: "a-long-secret,another-one" },
    );
    expect(models).toEqual(["fashion-mnist-badnets"]);
    const url = `${address}/v2/models/fashion-mnist-badnets/infer`;
    expect((await post(url, jsonRequest(one))).status).toBe(401);
    expect((await fetch(`${address}/v2/health/live`)).status).toBe(200);
    const key = { authorization: "Bearer another-one" };
    const queued = (count: number): Promise<void> =>
      until(async () =>
        new RegExp(`queue_images\\{[^}]*\\} ${count}\\n`).test(
          await (await fetch(`${address}/metrics`, { headers: key })).text(),
        ),
      );
    // Some seconds of work: a hundred steps for each of 8 images.
    const work = jsonRequest(rowsOf(images, 0, 8));
    const leaving = new AbortController();
    const gone = fetch(url, { method: "POST", body: work, headers: key, signal: leaving.signal });
    await queued(8);
    leaving.abort();
    await expect(gone).rejects.toThrow();
    await queued(0);
    const slow = post(url, work, key);
    await queued(8);
    child.kill("SIGTERM");
    const answer = await slow;
    expect(answer.status, answer.json.error).toBe(200);
    expect(answer.outputs["probabilities"]).toHaveLength(80);
    expect((await result).code).toBe(0);
    const lines = words.err
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines).toContainEqual(
      expect.objectContaining({ msg: "answered", status: 200, model: "fashion-mnist-badnets" }),
    );
    expect(lines).toContainEqual(expect.objectContaining({ level: 30, msg: "the client left" }));
    expect(lines.filter(({ level }) => level > 30)).toEqual([]);
    expect(words.err).not.toContain("another-one");
    expect(words.err.length / lines.length).toBeLessThan(400);
  });

  test("follows its configuration; one that is wrong changes nothing", async () => {
    const folder = await mkdtemp(join(tmpdir(), "untrigger-serve-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    const file = join(folder, "gateway.yaml");
    const classifier = resolve(FASHION.classifier);
    const write = (text: string): Promise<void> => writeFile(file, `listen: { port: 0 }\nmodels:\n${text}`);
    await write(`  a: { classifier: ${classifier}, policy: pass }\n`);
    const { address, words, process: child } = await start(["--config", file]);
    const status = async (model: string): Promise<number> =>
      (await post(`${address}/v2/models/${model}/infer`, jsonRequest(one))).status;
    expect([await status("a"), await status("b")]).toEqual([200, 404]);
    await write(`  b: { classifier: ${classifier}, policy: pass }\n`);
    await until(() => words.err.includes("read again"));
    expect([await status("a"), await status("b")]).toEqual([404, 200]);
    await write(`  a: { classifier: ${classifier}, policy: past }\n`);
    child.kill("SIGHUP");
    await until(() => words.err.includes("kept the configuration from before"));
    expect(words.err).toContain("models.a.policy");
    expect([await status("a"), await status("b")]).toEqual([404, 200]);
  });

  test.each([
    [[], "serve: expected one of --classifier MODEL.onnx, --upstream URL and --config FILE."],
    [
      ["--upstream", "http://127.0.0.1:1", "--scan-references", "models/fashion-mnist-references"],
      "serve: expected --classifier beside --scan-references, got --upstream;",
    ],
    [
      ["--classifier", FASHION.classifier, "--prior", FASHION.prior, "--scan-references", "models"],
      "models: expected clean classifiers to compare with, got none.",
    ],
    [["--classifier", FASHION.classifier], "diffpure: expected a prior, got none. Give one with --prior DIR."],
    [["--classifier", "http://127.0.0.1:1/"], "--classifier: expected an ONNX file, got an address."],
    [["--upstream", "127.0.0.1:8000"], "configuration: upstreams.upstream: Invalid URL."],
    [["--upstream", "http://x", "--tls-cert", "a"], "serve: expected --tls-cert and --tls-key together"],
    [["--upstream", "http://x", "--policy", "clean"], 'Unknown value of --policy "clean".'],
    [["--upstream", "http://x", "--key", "short"], "configuration: keys.0.key:"],
    [["--upstream", "http://x", "--otlp", "collector:4318"], "configuration: tracing.otlp:"],
    [["--config", "nowhere.yaml"], "nowhere.yaml: expected a file, got nothing there."],
  ])("refuses %j in one sentence", async (args, sentence) => {
    const { code, stderr } = await runInside(["serve", ...args]);
    expect(stderr).toContain(sentence);
    expect(stderr.trim().split("\n")).toHaveLength(1);
    expect(code).toBe(2);
  });
});
