/** @file `untrigger train` as a user calls it: what it leaves, how it goes on after a stop, and what it refuses. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openClassifierAt } from "../../src/node/open-classifier.ts";
import { openPriorAt } from "../../src/node/open-prior.ts";
import { createNodeRuntime } from "../../src/runtime/node.ts";
import { float32 } from "../../src/tensor/tensor.ts";
import { type CliResult, runCli, runInside, startCli } from "../support/cli.ts";

let root: string;
const at = (name: string): string => join(root, name);
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "untrigger-train-"));
});
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

const data = ["--data", "shapes", "--limit", "640", "--threads", "1"];
const classifier = ["train", "classifier", ...data, "--set", "width=4"];
const quick = [...classifier, "--set", "batch=32", "--set", "epochs=1"];
const prior = ["train", "prior", ...data, "--set", "widths=8,8", "--set", "batch=4", "--set", "epochs=0.02"];

function expectRefusal({ code, stdout, stderr }: CliResult, exit: number, sentence: string | RegExp): void {
  expect(stderr).toMatch(sentence);
  expect(stderr.trim().split("\n").at(-1)).toMatch(/^untrigger: .+\.$/);
  expect([stdout, code]).toEqual(["", exit]);
}

describe("train classifier", () => {
  test("leaves a classifier that opens, its record and its loss curve, and prints them", async () => {
    const out = at("net");
    const { code, stdout } = await runCli([...quick, "-o", out, "--json", "--quiet"]);
    expect(code).toBe(0);
    const printed = JSON.parse(stdout);
    expect(printed).toMatchObject({ schema: "untrigger/training@1", kind: "classifier", output: out, steps: 20 });
    expect(printed.accuracy).toBeGreaterThan(0);
    expect(JSON.parse(readFileSync(join(out, "training.json"), "utf8"))).toMatchObject({ loss: printed.loss });
    expect(readFileSync(join(out, "loss.svg"), "utf8")).toMatch(/^<svg /);
    expect(existsSync(join(out, "checkpoint.safetensors"))).toBe(false);
    const net = await openClassifierAt(out, await createNodeRuntime({ threads: 1 }));
    const { scores } = await net.classify(float32([2, 3, 32, 32], new Float32Array(2 * 3 * 32 * 32).fill(0.5)));
    expect(scores.dims).toEqual([2, 10]);
    await net.dispose();
  });

  test("stopped by Ctrl-C it keeps its state, and the same command ends where an undisturbed one does", async () => {
    const args = [...classifier, "--set", "batch=32", "--set", "epochs=15", "--json"];
    const run = startCli([...args, "-o", at("stopped")]);
    while (!existsSync(at("stopped/checkpoint.safetensors"))) await setTimeout(10);
    run.process.kill("SIGINT");
    expect((await run.result).code).toBe(130);
    expect(readdirSync(at("stopped"))).toEqual(["checkpoint.safetensors"]);
    const resumed = await runCli([...args, "-o", at("stopped")]);
    expect(resumed.stderr).toContain("going on from the checkpoint");
    expect(resumed.code).toBe(0);
    expect((await runCli([...args, "-o", at("whole")])).code).toBe(0);
    expect(readFileSync(at("stopped/model.onnx"))).toEqual(readFileSync(at("whole/model.onnx")));
  }, 120_000);

  test("what is no checkpoint of this training is refused and stays", async () => {
    const out = at("other");
    mkdirSync(out);
    writeFileSync(join(out, "checkpoint.safetensors"), "not a checkpoint");
    expectRefusal(await runInside([...quick, "-o", out, "--quiet"]), 2, /checkpoint: expected/);
    expect(readdirSync(out)).toEqual(["checkpoint.safetensors"]);
  });

  test("a model of the user's learns on", async () => {
    const base = await runInside([...quick, "-o", at("base"), "--quiet", "--json"]);
    const options = ["--set", "batch=32", "--set", "epochs=2", "--set", "rate=0.05"];
    const args = ["train", "classifier", ...data, ...options, "--fine-tune", at("base/model.onnx")];
    const tuned = await runInside([...args, "-o", at("tuned"), "--quiet", "--json"]);
    expect(tuned.code).toBe(0);
    expect(JSON.parse(tuned.stdout).loss).toBeLessThan(JSON.parse(base.stdout).loss);
    expect(readdirSync(at("tuned")).sort()).toEqual([
      "config.json",
      "loss.svg",
      "model.onnx",
      "preprocessor_config.json",
      "training.json",
    ]);
  });

  test.each<[string, readonly string[], string]>([
    ["no data", ["train", "classifier", "-o", "x"], "expected a data set, got none"],
    ["no folder", ["train", "classifier", "--data", "shapes"], "expected a folder for the network, got none"],
    ["unknown data", ["train", "classifier", "--data", "shape", "-o", "x"], 'Did you mean "shapes"?'],
    ["unknown network", [...classifier, "--architecture", "resnet", "-o", "x"], "resnet-18"],
    ["unknown option", [...classifier, "--set", "epoch=2", "-o", "x"], 'Did you mean "epochs"?'],
    ["a rate below zero", [...classifier, "--set", "rate=-1", "-o", "x"], 'option "rate"'],
    [
      "a batch larger than the data",
      [...classifier, "--set", "batch=60000", "-o", "x"],
      "expected at least 60000 images",
    ],
    ["no such model", ["train", "classifier", ...data, "--fine-tune", "nowhere.onnx", "-o", "x"], "nowhere.onnx"],
    [
      "a model of other images",
      ["train", "classifier", ...data, "--fine-tune", "models/fashion-mnist-badnets", "-o", "x"],
      "expected images of [1, 28, 28]",
    ],
  ])("%s is refused before any work", async (_, args, sentence) => {
    const { code, stderr } = await runInside([...args.map((arg) => (arg === "x" ? at("refused") : arg)), "--quiet"]);
    expect(stderr).toContain(sentence);
    expect(code).toBe(2);
    expect(existsSync(at("refused"))).toBe(false);
  });

  test("a rate far too high ends with the step at which the loss stopped being finite", async () => {
    const out = at("wild");
    // Decay times rate is 100: every step multiplies the weights by -99.
    const wild = ["--set", "rate=100", "--set", "weightDecay=1", "--set", "schedule=constant", "--set", "epochs=10"];
    const run = await runInside([...classifier, ...wild, "-o", out, "--quiet"]);
    expect(run.stderr).toMatch(/training: expected finite numbers, got .+ at step \d+ .+ Do lower the learning rate/);
    expect(run.code).toBe(3);
    expect(readdirSync(out)).toEqual(["checkpoint.safetensors"]);
  });
});

describe("train prior", () => {
  test("leaves a diffusers folder that opens, and a sheet of samples", async () => {
    const out = at("prior");
    const run = await runInside([...prior, "-o", out, "--json", "--quiet", "--sample-every", "0"]);
    expect(run.stderr).toBe("");
    expect(JSON.parse(run.stdout)).toMatchObject({ kind: "prior", accuracy: null, steps: 3 });
    expect(readdirSync(join(out, "samples"))).toEqual(["00000003.png"]);
    const opened = await openPriorAt(out, await createNodeRuntime({ threads: 1 }));
    expect(opened.dims).toEqual({ channels: 3, height: 32, width: 32 });
    await opened.dispose();
  });

  test("augmentation is refused: the prior would learn it", async () => {
    const run = await runInside([...prior, "--set", "flip=true", "-o", at("flipped"), "--quiet"]);
    expectRefusal(run, 2, /expected no augmentation for a prior/);
  });
});

describe("train mae", () => {
  test("leaves a model that paints what a mask hides", async () => {
    const out = at("mae");
    const small = ["--set", "width=16", "--set", "depth=1", "--set", "decoderWidth=16", "--set", "decoderDepth=1"];
    const run = await runInside([
      ...["train", "mae", ...data, ...small, "--set", "batch=16", "--set", "epochs=0.1"],
      ...["-o", out, "--json", "--quiet"],
    ]);
    expect(run.stderr).toBe("");
    expect(JSON.parse(run.stdout)).toMatchObject({ kind: "mae", steps: 4, accuracy: null });
    const session = await (await createNodeRuntime({ threads: 1 })).load(readFileSync(join(out, "model.onnx")));
    const mask = float32([2, 64], new Float32Array(128).fill(1, 0, 30));
    const { prediction } = await session.run({ pixel_values: float32([2, 3, 32, 32]), mask });
    expect(prediction?.dims).toEqual([2, 3, 32, 32]);
    await session.dispose();
  });
});
