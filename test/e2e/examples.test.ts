/** @file Every example runs as its header says, on the shipped models. */
import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { decodePicture } from "../../src/images/node.ts";
import { openClassifierAt } from "../../src/node/open-classifier.ts";
import { createNodeRuntime } from "../../src/runtime/node.ts";
import { float32 } from "../../src/tensor/tensor.ts";
import { serve } from "../support/http-server.ts";

const run = (name: string, ...args: readonly string[]) =>
  promisify(execFile)("node_modules/.bin/tsx", ["--conditions=untrigger-source", `examples/${name}.ts`, ...args]);

test("every example is run here", async () => {
  const tested = [...(await readFile(import.meta.filename, "utf8")).matchAll(/^test\("([\w-]+)\.ts/gm)].map(
    (m) => m[1],
  );
  expect(readdirSync("examples").sort()).toEqual(tested.map((name) => `${name}.ts`).sort());
});

test("purify-one-image.ts", async () => {
  const folder = await mkdtemp(join(tmpdir(), "untrigger-example-"));
  const out = join(folder, "purified.png");
  const { stdout } = await run("purify-one-image", "models/fashion-mnist-badnets/images/00001.png", out);
  expect(stdout).toMatch(/^before: Pullover, after: Pullover\nsuspicion 0\.\d{3}, threshold /);
  expect(await decodePicture(await readFile(out), out)).toMatchObject({ channels: 1, height: 28, width: 28 });
  await rm(folder, { recursive: true });
});

test("purify-behind-an-endpoint.ts", async () => {
  const runtime = await createNodeRuntime({ device: "cpu", threads: 1 });
  const classifier = await openClassifierAt("models/fashion-mnist-badnets/model.onnx", runtime);
  const { url } = await serve(async ({ body }) => {
    const images: number[] = JSON.parse(body.toString()).images.flat(3);
    const { scores } = await classifier.classify(float32([images.length / 784, 1, 28, 28], images));
    const rows = Array.from({ length: images.length / 784 }, (_, i) => [...scores.data.slice(10 * i, 10 * i + 10)]);
    return { scores: rows };
  });
  const { stdout } = await run("purify-behind-an-endpoint", `${url}/classify`, "models/fashion-mnist-badnets/images");
  await classifier.dispose();
  expect(stdout.split("\n").filter((line) => /: \d -> \d, suspicion/.test(line))).toHaveLength(64);
  // The images as they came, and three votes.
  expect(stdout).toMatch(/of 64 changed; 256 images were sent to http/);
});

test("fgsm-on-your-model.ts", async () => {
  const { stdout } = await run("fgsm-on-your-model");
  const [fgsm = 0, pgd = 0] = [...stdout.matchAll(/: (\d+) of 64 pictures/g)].map((match) => Number(match[1]));
  expect(fgsm).toBeGreaterThan(16);
  expect(pgd).toBeGreaterThan(fgsm);
});
