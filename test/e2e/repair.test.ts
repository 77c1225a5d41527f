/** @file `untrigger repair` as a user calls it: what it leaves, what it prints, and what it refuses. */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fashionMnist } from "../../src/data/fashion-mnist.ts";
import { writeNpy } from "../../src/data/npy.ts";
import { GraphBuilder } from "../../src/graph/builder.ts";
import { graphToBytes } from "../../src/graph/to-model.ts";
import { encodePng } from "../../src/images/node.ts";
import { findDataset } from "../../src/node/find-dataset.ts";
import { openClassifierAt } from "../../src/node/open-classifier.ts";
import { repairRecord } from "../../src/results/repair-record.ts";
import { createNodeRuntime } from "../../src/runtime/node.ts";
import { float32 } from "../../src/tensor/tensor.ts";
import { type CliResult, runInside, startCli } from "../support/cli.ts";

let root: string;
const at = (name: string): string => join(root, name);
const model = "models/fashion-mnist-badnets";
const images = join(model, "images");
const quick = ["--method", "fine-pruning", "--set", "epochs=0.2", "--set", "stride=0.2", "--threads", "1"];

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "untrigger-repair-"));
});
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

function expectRefusal({ code, stdout, stderr }: CliResult, sentence: string | RegExp): void {
  expect(stderr).toMatch(sentence);
  expect(stderr.trim().split("\n").at(-1)).toMatch(/^untrigger: .+\.$/);
  expect([stdout, code]).toEqual(["", 2]);
}

describe("repair MODEL", () => {
  test("leaves a mended model that opens, its trigger and its record, and prints both measurements", async () => {
    const out = at("mended");
    const run = await runInside(["repair", model, "--images", images, ...quick, "-o", out, "--json", "--quiet"]);
    expect([run.code, run.stderr]).toEqual([0, ""]);
    const { output, ...record } = JSON.parse(run.stdout) as Record<string, unknown>;
    expect(output).toBe(out);
    expect(JSON.parse(readFileSync(join(out, "repair.json"), "utf8"))).toEqual(record);
    expect(repairRecord.safeParse(record).error).toBeUndefined();
    expect(readdirSync(out).sort()).toEqual([
      "config.json",
      "model.onnx",
      "preprocessor_config.json",
      "repair.json",
      "trigger",
    ]);
    expect(record).toMatchObject({
      schema: "untrigger/repair@1",
      method: "fine-pruning",
      trigger: { attack: "badnets", target: 0 },
      seconds: expect.any(Number) as number,
    });
    const rates = {
      cleanAccuracy: expect.any(Number) as number,
      poisonedAccuracy: expect.any(Number) as number,
      attackSuccessRate: expect.any(Number) as number,
    };
    expect(record).toMatchObject({ before: { ...rates, attackSuccessRate: 1 }, after: rates });
    const classifier = await openClassifierAt(out, await createNodeRuntime({ threads: 1 }));
    const { scores } = await classifier.classify(float32([2, 1, 28, 28], new Float32Array(1568).fill(0.5)));
    expect(scores.dims).toEqual([2, 10]);
    await classifier.dispose();
  });

  test("without a trigger says null; a table for people; the same for the same seed", async () => {
    mkdirSync(at("bare"));
    for (const name of ["model.onnx", "config.json", "preprocessor_config.json"]) {
      copyFileSync(join(model, name), join(at("bare"), name));
    }
    const args = ["repair", at("bare/model.onnx"), "--images", images, ...quick, "--count", "100", "--quiet"];
    const shown = await runInside([...args, "-o", at("first")]);
    expect(shown.stdout).toMatch(/clean accuracy .* %/);
    expect(shown.stdout).toContain("No trigger was given: attack success is not known.");
    const record = JSON.parse(readFileSync(at("first/repair.json"), "utf8")) as Record<string, unknown>;
    const unknown = { poisonedAccuracy: null, attackSuccessRate: null, attackSuccessRateAllClasses: null };
    expect(record).toMatchObject({ trigger: null, before: unknown, after: unknown });
    expect(existsSync(at("first/trigger"))).toBe(false);
    await runInside([...args, "-o", at("second")]);
    expect(readFileSync(at("second/model.onnx")).equals(readFileSync(at("first/model.onnx")))).toBe(true);
    const trigger = ["--trigger", join(model, "trigger"), "--limit", "10"];
    const measured = await runInside([...args, ...trigger, "-o", at("third"), "--json"]);
    expect(JSON.parse(measured.stdout)).toMatchObject({ measuredOn: 10, before: { attackSuccessRate: 1 } });
  });

  test("stopped by Ctrl-C it leaves nothing", async () => {
    const run = startCli([
      ...["repair", model, "--images", images, "--method", "fine-tuning", "--set", "epochs=5000", "--threads", "1"],
      ...["-o", at("stopped")],
    ]);
    while (!existsSync(at("stopped"))) await setTimeout(20);
    await setTimeout(1500);
    run.process.kill("SIGINT");
    expect((await run.result).code).toBe(130);
    expect(existsSync(at("stopped"))).toBe(false);
  });
});

const isHere = await findDataset(fashionMnist).then(
  () => true,
  () => false,
);

describe.skipIf(!isHere)("on Fashion-MNIST (skipped without dataset-fashion-mnist)", () => {
  test("fine-pruning with 500 clean images takes most of a backdoor, and little else", async () => {
    const run = await runInside([
      ...["repair", model, "--method", "fine-pruning", "--images", "fashion-mnist", "--limit", "400"],
      ...["--threads", "1", "--json", "--quiet", "-o", at("real")],
    ]);
    expect([run.code, run.stderr]).toEqual([0, ""]);
    const { before, after, images: used } = repairRecord.parse(JSON.parse(run.stdout));
    expect(used).toEqual({ learned: 350, held: 150, test: 400 });
    expect(before.attackSuccessRate).toBe(1);
    expect(after.attackSuccessRate).toBeLessThan(0.5);
    expect(after.poisonedAccuracy).toBeGreaterThan(0.4);
    expect(after.cleanAccuracy).toBeGreaterThan(before.cleanAccuracy! - 0.08);
  }, 180_000);
});

describe("refusals, each in one sentence and before anything is written", () => {
  const refused = (...args: string[]): Promise<CliResult> =>
    runInside(["repair", ...args, "--threads", "1", "--quiet", "--json"]);
  const into = (): string[] => ["-o", at("refused")];

  test.each<[string, () => string[], RegExp]>([
    ["no images", () => [model], /expected clean images with labels, got none/],
    ["no such method", () => [model, "--method", "amp"], /Unknown repair "amp". Did you mean "anp"\?/],
    ["no such preset", () => [model, "--preset", "best"], /Unknown preset of anp "best"/],
    ["no such option", () => [model, "--method", "anp", "--set", "iteration=3"], /Did you mean "iterations"\?/],
    ["an option out of range", () => [model, "--set", "maxDrop=2"], /option "maxDrop"/],
    [
      "an address",
      () => ["http://localhost:1", "--images", images],
      /got an address; because a repair changes weights/,
    ],
    ["no such model", () => ["nowhere.onnx", "--images", images], /nowhere.onnx: expected an ONNX file or a folder/],
    ["no such images", () => [model, "--images", "./nowhere"], /nowhere: expected a folder of pictures/],
    [
      "too few images",
      () => [model, "--images", images, "--count", "5"],
      /at least 20 clean images with labels, got 5/,
    ],
    ["no trigger there", () => [model, "--images", images, "--trigger", images], /trigger.json: expected a file/],
  ])("%s", async (_, args, sentence) => {
    expectRefusal(await refused(...args(), ...into()), sentence);
    expect(existsSync(at("refused"))).toBe(false);
  });

  test("no folder to write to, or the model's own", async () => {
    expectRefusal(await refused(model, "--images", images), /expected a folder for the mended model, got none/);
    expectRefusal(
      await refused(model, "--images", images, "-o", model),
      /expected another folder than the model's own/,
    );
  });

  test("pictures without labels, and labels that are no classes", async () => {
    mkdirSync(at("pictures"));
    const names = readdirSync(images).filter((name) => name.endsWith(".png"));
    for (const name of names.slice(0, 30)) copyFileSync(join(images, name), join(at("pictures"), name));
    expectRefusal(await refused(model, "--images", at("pictures"), ...into()), /labels\.json/);
    const labels = Object.fromEntries(names.slice(0, 30).map((name, i) => [name, i]));
    writeFileSync(at("pictures/labels.json"), JSON.stringify(labels));
    const sentence = /expected labels from 0 to 9, one for each score of the model, got 1\d for an image of pictures/;
    expectRefusal(await refused(model, "--images", at("pictures"), ...into()), sentence);
  });

  test("pictures of another size", async () => {
    mkdirSync(at("small"));
    const picture = { channels: 1 as const, height: 9, width: 8, pixels: new Uint8Array(72) };
    for (let i = 0; i < 25; i++) writeFileSync(at(`small/${i}.png`), await encodePng({ ...picture, name: `${i}` }));
    const labels = Object.fromEntries(Array.from({ length: 25 }, (_, i) => [`${i}.png`, i % 2]));
    writeFileSync(at("small/labels.json"), JSON.stringify(labels));
    const sentence = /repair: expected images of \[1, 28, 28\] for this model, got \[1, 9, 8\] in small/;
    expectRefusal(await refused(model, "--images", at("small"), ...into()), sentence);
  });

  test("a model without anything to prune", async () => {
    const b = new GraphBuilder();
    const flat = b.op("Flatten", [b.input("x", "float32", ["N", 1, 28, 28])]);
    b.output("logits", b.op("MatMul", [flat, b.weight("w", float32([784, 10]))]), "float32", ["N", 10]);
    mkdirSync(at("linear"));
    writeFileSync(at("linear/model.onnx"), graphToBytes(b.build("linear")));
    writeFileSync(at("x.npy"), writeNpy(float32([1, 1])));
    const args = [at("linear"), "--method", "anp", "--images", images, "--mean", "0", "--std", "1", ...into()];
    expectRefusal(await refused(...args), /anp: expected a network with convolutions, .* got none among 1 layers/);
    expectRefusal(await refused(at("x.npy"), "--images", images, ...into()), /x\.npy/);
  });
});
