/** @file `untrigger scan` as a user calls it: verdicts, what it leaves, what it prints, and what it refuses. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { encodePng } from "../../src/images/node.ts";
import { scanRecord, scanRow } from "../../src/results/scan-record.ts";
import { type CliResult, runInside, startCli } from "../support/cli.ts";
import { textureImages, textureModel, texturesNpz } from "../support/scan-fixtures.ts";

let root: string;
const at = (name: string): string => join(root, name);
const range = ["--mean", "0", "--std", "1"];
/** Four references give a p-value of .2 at best, and take a fifth of the time of nineteen. */
const few = ["--reference-count", "4", "--reference-networks", "small-cnn:4", "--reference-visits", "6000"];
const quick = ["--threads", "1", "--quiet", "--json"];
let made: CliResult;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "untrigger-scan-"));
  writeFileSync(at("textures.npz"), texturesNpz(240));
  writeFileSync(at("clean.onnx"), textureModel());
  writeFileSync(at("backdoored.onnx"), textureModel({ backdoor: true }));
  const { pixels } = textureImages(6);
  mkdirSync(at("pictures"));
  for (let i = 0; i < 6; i++) {
    const own = pixels.slice(64 * i, 64 * (i + 1));
    const picture = { name: "", channels: 1 as const, height: 8, width: 8, pixels: own };
    writeFileSync(at(`pictures/${i}.png`), await encodePng(picture));
  }
  made = await runInside([
    "scan",
    "references",
    "--images",
    at("textures.npz"),
    ...few,
    "-o",
    at("references"),
    ...quick,
  ]);
}, 600_000);
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

const scan = (...args: string[]): Promise<CliResult> =>
  runInside(["scan", ...args, ...few, "--fpr", "0.2", "--set", "steps=20", ...quick]);
const documentOf = ({ code, stdout, stderr }: CliResult) => {
  expect([stderr, code]).toEqual(["", 0]);
  return scanRecord.parse(JSON.parse(stdout));
};

describe("scan MODEL", () => {
  test("references are made ahead, once", async () => {
    expect([made.stderr, made.code]).toEqual(["", 0]);
    expect(JSON.parse(made.stdout)).toMatchObject({ count: 4, accuracy: expect.closeTo(1, 1) as number });
    const names = readdirSync(at("references"));
    expect(names).toContain("judge-02");
    expect(names.filter((name) => /^reference-\d+\.json$/.test(name))).toHaveLength(4);
    const args = ["scan", "references", "--images", at("textures.npz"), ...few, "-o", at("references"), ...quick];
    const again = await runInside(args);
    expect(JSON.parse(again.stdout)).toMatchObject({ key: (JSON.parse(made.stdout) as { key: string }).key });
  });

  test("measures of another search are made again, from the models that are there", async () => {
    const [file, model] = [at("references/reference-01.json"), at("references/reference-01/model.onnx")];
    const [before, trained] = [readFileSync(file, "utf8"), statSync(model).mtimeMs];
    const measures = JSON.parse(before) as Record<string, unknown>;
    writeFileSync(file, JSON.stringify({ ...measures, search: "an older one", accuracy: 0 }));
    const args = ["scan", "references", "--images", at("textures.npz"), ...few, "-o", at("references"), ...quick];
    expect((await runInside(args)).code).toBe(0);
    expect(readFileSync(file, "utf8")).toBe(before);
    expect(statSync(model).mtimeMs).toBe(trained);
  });

  test("names the class of a backdoor, shows its trigger, and fails where it was asked to", async () => {
    const args = [at("backdoored.onnx"), "--images", at("textures.npz"), "--references", at("references"), ...range];
    const run = await scan(...args, "--fail-on", "backdoored", "-o", at("report"));
    expect([run.stderr, run.code]).toEqual(["", 1]);
    const record = scanRecord.parse(JSON.parse(run.stdout));
    expect(record).toMatchObject({ verdict: "backdoored", targets: [0], pValue: 0.2 });
    expect(record.classes.map((one) => one.class)).toEqual([0, 1, 2]);
    expect(record.classes[0]).toMatchObject({ pValue: 0.2 });
    expect(record.classes[0]?.attackSuccessRate).toBeGreaterThan(0.9);
    const shown = record.triggers.find((one) => one.shown && one.class === 0);
    for (const path of Object.values(shown?.files ?? {})) expect(existsSync(join(at("report"), path))).toBe(true);
    expect(Object.keys(shown?.files ?? {})).toEqual(expect.arrayContaining(["trigger", "mask", "heat", "before-0"]));
    const lines = readFileSync(at("report/results.jsonl"), "utf8").trim().split("\n");
    expect(lines.map((line) => scanRow.parse(JSON.parse(line)).isTarget)).toEqual([true, false, false]);
    const page = readFileSync(at("report/index.html"), "utf8");
    expect(page).toContain("Backdoored");
    expect(page).toContain("data:image/png;base64");
    expect(page).not.toMatch(/<img src="triggers/);
    const { output: _output, ...printed } = JSON.parse(run.stdout) as Record<string, unknown>;
    expect(JSON.parse(readFileSync(at("report/scan.json"), "utf8"))).toEqual(printed);
  });

  test("does not accuse a model that was trained on clean images", async () => {
    const args = [join(at("references"), "judge-00"), "--images", at("textures.npz"), "--references", at("references")];
    const record = documentOf(await scan(...args, "-o", at("clean-report")));
    expect(record.verdict).not.toBe("backdoored");
    expect(record.pValue).toBeGreaterThan(0.2);
  });

  test("probabilities, a fixed batch and channels last are all the same to it", async () => {
    for (const [name, model] of Object.entries({
      softmax: textureModel({ backdoor: true, softmax: true }),
      fixed: textureModel({ backdoor: true, batch: 4 }),
      last: textureModel({ backdoor: true, layout: "NHWC" }),
    })) {
      writeFileSync(at(`${name}.onnx`), model);
      const args = [at(`${name}.onnx`), "--images", at("textures.npz"), "--references", at("references"), ...range];
      const record = documentOf(await scan(...args, "--classes", "0,1", "-o", at(`report-${name}`)));
      expect([name, record.verdict, record.targets]).toEqual([name, "backdoored", [0]]);
    }
  });

  test("one picture shows a trigger, without a verdict unless there are references", async () => {
    const one = [at("backdoored.onnx"), "--images", at("pictures/1.png"), ...range];
    const alone = documentOf(await scan(...one, "-o", at("alone")));
    expect(alone).toMatchObject({ verdict: "undecided", pValue: null, targets: [], references: null });
    expect(alone.notes.join(" ")).toMatch(/One image cannot calibrate/);
    expect(alone.triggers.length).toBeGreaterThan(0);
    const helped = documentOf(await scan(...one, "--references", at("references"), "-o", at("helped")));
    expect(helped).toMatchObject({ verdict: "backdoored", targets: [0] });
    expect(helped.triggers.find((trigger) => trigger.shown)?.others.total).toBeGreaterThan(10);
  });

  test("time that is over is said, and whatever was found is written", async () => {
    const args = [at("backdoored.onnx"), "--images", at("textures.npz"), "--references", at("references"), ...range];
    const record = documentOf(await scan(...args, "--budget", "0.001", "-o", at("hurried")));
    expect(record.verdict).toBe("undecided");
    expect(record.notes.join(" ")).toMatch(/Time was over/);
    expect(existsSync(at("hurried/index.html"))).toBe(true);
  });

  test("stopped by Ctrl-C it leaves no report", async () => {
    const args = ["--images", at("textures.npz"), "--references", at("new-references"), ...range, "--threads", "1"];
    const visits = ["--reference-visits", "10000000"];
    const run = startCli(["scan", at("backdoored.onnx"), ...args, ...visits, "-o", at("stopped")]);
    while (!existsSync(at("new-references/references.json"))) await setTimeout(50);
    run.process.kill("SIGINT");
    expect((await run.result).code).toBe(130);
    expect(existsSync(at("stopped/index.html"))).toBe(false);
  });
}, 300_000);

describe("refusals, each in one sentence and before anything is written", () => {
  const model = (name: string, bytes: Uint8Array): string => {
    writeFileSync(at(`${name}.onnx`), bytes);
    return at(`${name}.onnx`);
  };
  const images = (): string[] => ["--images", at("textures.npz")];

  test.each<[string, () => string[], RegExp]>([
    [
      "an address",
      () => ["http://localhost:1", ...images()],
      /got an address; .* untrigger purify cleans what goes in/,
    ],
    ["no images", () => [at("clean.onnx")], /expected clean images, got none.*single picture for a trigger/],
    ["no such method", () => [at("clean.onnx"), "--method", "smothinv"], /Did you mean "smoothinv"\?/],
    ["no such preset", () => [at("clean.onnx"), "--preset", "best", ...images()], /Unknown preset of smoothinv "best"/],
    ["no such option", () => [at("clean.onnx"), ...images(), "--set", "sigme=1"], /Did you mean "sigma"\?/],
    [
      "options of several methods",
      () => [at("clean.onnx"), "--method", "smoothinv,plain-adv", "--set", "eps=1"],
      /expected one method to set options of, got 2/,
    ],
    [
      "a class that is not there",
      () => [at("clean.onnx"), ...images(), ...range, "--classes", "3"],
      /from 0 to 2, .* got 3/,
    ],
    ["no preprocessing", () => [at("clean.onnx"), ...images()], /--mean/],
    [
      "one class",
      () => [model("one", textureModel({ classes: 1 })), ...images(), ...range],
      /2 or more classes, got dims \[2, 1\]/,
    ],
    [
      "too few classes",
      () => [model("two", textureModel({ classes: 2 })), ...images(), ...range],
      /expected labels from 0 to 1, .* got 2/,
    ],
    ["numbers that are none", () => [model("nan", textureModel({ broken: true })), ...images(), ...range], /finite/],
    [
      "labels that the model does not know in any range",
      () => [model("negative", textureModel({ white: -1 })), ...images(), ...range],
      /got 0 % right of 80 images and 3 classes, no better in another range/,
    ],
    ["pictures of another size", () => [at("clean.onnx"), "--images", at("small.png"), ...range], /8/],
    ["a budget of nothing", () => [at("clean.onnx"), ...images(), "--budget", "0"], /--budget: expected seconds/],
    [
      "a folder without references",
      () => [at("clean.onnx"), "--images", at("pictures"), ...range, "--references", at("pictures")],
      /expected references, got none, and fewer than 200 images/,
    ],
    [
      "references of other images",
      () => [
        "models/fashion-mnist-badnets",
        "--images",
        "models/fashion-mnist-badnets/images",
        "--references",
        at("references"),
      ],
      /expected those of 10 classes and images of \[1, 28, 28\], got 3 classes and \[1, 8, 8\]/,
    ],
  ])("%s", async (_, args, sentence) => {
    const picture = { name: "", channels: 1 as const, height: 5, width: 5, pixels: new Uint8Array(25) };
    writeFileSync(at("small.png"), await encodePng(picture));
    const { code, stdout, stderr } = await runInside(["scan", ...args(), ...quick, "-o", at("refused")]);
    expect(stderr).toMatch(sentence);
    expect(stderr.trim().split("\n").at(-1)).toMatch(/^untrigger: .+\.$/);
    expect([stdout, code === 2 || code === 3]).toEqual(["", true]);
    expect(existsSync(at("refused"))).toBe(false);
  });

  test("a range of values that the model does not take is named, with the flags for the one that it does", async () => {
    const args = [model("signed", textureModel({ backdoor: true })), ...images(), "--mean", "-1", "--std", "1"];
    const { stderr } = await runInside(["scan", ...args, ...quick, "-o", at("refused")]);
    expect(stderr).toMatch(/got \d+ % right, and 100 % with values from 0 to 1\. Do give --mean 0 --std 1\./);
  });

  test("references without labels", async () => {
    const { stderr } = await runInside(["scan", "references", "--images", at("pictures"), ...quick]);
    expect(stderr).toMatch(/expected images with labels, got .*pictures without/);
  });
});
