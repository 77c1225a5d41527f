/** @file `untrigger attack` as a user calls it: backdoored models, stored triggers, evasion, and what is refused. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readTrigger } from "../../src/attacks/trigger-folder.ts";
import { readNpy, writeNpy } from "../../src/data/npy.ts";
import { decodePicture } from "../../src/images/node.ts";
import { measureBackdoor } from "../../src/jobs/attack/measure.ts";
import { folderSource } from "../../src/node/folder-source.ts";
import { openClassifierAt } from "../../src/node/open-classifier.ts";
import { readTrainingData } from "../../src/node/training-data.ts";
import { attackRecord } from "../../src/results/attack-record.ts";
import { createNodeRuntime } from "../../src/runtime/node.ts";
import { rowsOf } from "../../src/tensor/rows.ts";
import { type CliResult, runInside } from "../support/cli.ts";

let root: string;
const at = (name: string): string => join(root, name);
const data = ["--data", "shapes", "--limit", "640", "--threads", "1"];
const quick = [...data, "--set", "width=4", "--set", "batch=32", "--set", "epochs=1", "--quiet", "--json"];

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "untrigger-attack-"));
  const { test: images } = await readTrainingData("shapes", { limit: 6 });
  writeFileSync(at("six.npy"), writeNpy(images.images as Parameters<typeof writeNpy>[0]));
});
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

const attack = async (name: string, out: string, ...flags: string[]): Promise<Record<string, unknown>> => {
  const { code, stdout, stderr } = await runInside(["attack", name, ...quick, ...flags, "-o", at(out)]);
  expect([code, stderr]).toEqual([0, ""]);
  return JSON.parse(stdout) as Record<string, unknown>;
};

function expectRefusal({ code, stdout, stderr }: CliResult, sentence: string | RegExp): void {
  expect(stderr).toMatch(sentence);
  expect(stderr.trim().split("\n").at(-1)).toMatch(/^untrigger: .+\.$/);
  expect([stdout, code]).toEqual(["", 2]);
}

describe("attack NAME", () => {
  test("leaves a model, its trigger and its record, which anyone can measure again", async () => {
    const printed = await attack("badnets", "badnets");
    expect(readdirSync(at("badnets")).sort()).toEqual([
      "config.json",
      "loss.svg",
      "model.onnx",
      "poisoned.npy",
      "preprocessor_config.json",
      "training.json",
      "trigger",
    ]);
    const { output, ...record } = printed;
    expect(output).toBe(at("badnets"));
    expect(JSON.parse(readFileSync(at("badnets/training.json"), "utf8"))).toEqual(record);
    expect(attackRecord.safeParse(record).error).toBeUndefined();
    expect(record).toMatchObject({ attack: "badnets", target: 0, poisoned: 64, covers: 0, measuredOn: 640 });
    expect(readNpy(readFileSync(at("badnets/poisoned.npy")))).toMatchObject({ dtype: "int32", dims: [64] });
    const runtime = await createNodeRuntime({ threads: 1 });
    const classifier = await openClassifierAt(at("badnets"), runtime);
    const trigger = await readTrigger(folderSource(at("badnets/trigger")));
    const { test: images } = await readTrainingData("shapes", { limit: 640 });
    const counts = await measureBackdoor(classifier, trigger, images);
    expect(record["counts"]).toEqual(JSON.parse(JSON.stringify(counts)) as object);
    expect(counts.attackSuccessAllClasses.total).toBe(640);
    await classifier.dispose();
  });

  test("reports noise and cross accuracy where papers define them", async () => {
    expect(await attack("wanet", "wanet")).toMatchObject({
      poisoned: null,
      noiseAccuracy: expect.any(Number) as number,
      crossAccuracy: null,
    });
    expect(await attack("bpp", "bpp", "--preset", "official")).toMatchObject({
      attackOptions: { dither: true, poisonRatio: 0.2 },
      noiseAccuracy: null,
      crossAccuracy: expect.any(Number) as number,
    });
  });

  test("measures all-to-all with a target for each image", async () => {
    const record = await attack("badnets", "all", "--set", "labels=all-to-all");
    expect(record).toMatchObject({ target: null, labels: { kind: "all-to-all", classes: 10 } });
    expect(record).toMatchObject({ counts: { attackSuccess: { total: 640 }, poisonedAccuracy: { total: 640 } } });
  });

  test("pgd changes test images against a given model, within its reach", async () => {
    const printed = await attack(
      "pgd",
      "evaded",
      "--classifier",
      at("badnets"),
      "--count",
      "100",
      "--set",
      "epsilon=4",
    );
    expect(printed).toMatchObject({ attack: "pgd", target: null, measuredOn: 100 });
    expect(printed["poisonedAccuracy"]).toBeLessThanOrEqual(Number(printed["cleanAccuracy"]));
    const changed = readNpy(readFileSync(at("evaded/images.npy")));
    const { test: images } = await readTrainingData("shapes", { limit: 100 });
    const clean = rowsOf(images.images, 0, 100).data;
    const moves = Array.from(changed.data as Uint8Array, (value, i) => Math.abs(value - clean[i]!));
    expect(moves.reduce((most, move) => Math.max(most, move), 0)).toBe(4);
  });

  test("refuses what cannot be done in one sentence, and leaves nothing", async () => {
    const refused = (...args: string[]): Promise<CliResult> =>
      runInside(["attack", ...args, "--quiet", "--json", "-o", at("refused")]);
    expectRefusal(await refused("badnet", ...data), /Unknown attack "badnet". Did you mean "badnets"\?/);
    expectRefusal(await refused("badnets"), /expected a data set, got none/);
    expectRefusal(await refused("badnets", ...data, "--preset", "strong"), /Unknown preset of badnets "strong"/);
    expectRefusal(await refused("badnets", ...data, "--set", "poisonratio=1"), /Did you mean "poisonRatio"\?/);
    expectRefusal(await refused("badnets", ...data, "--set", "target=10"), /expected target from 0 to 9, got 10/);
    expectRefusal(await refused("badnets", ...data, "--set", "size=40"), /expected a patch inside 32x32 pixels/);
    expectRefusal(
      await refused("sig", ...data, "--set", "poisonRatio=0.5"),
      /expected a poison ratio of at most 0\.\d+, since \d+ of 640 training images are images of class 0, got 0.5/,
    );
    expectRefusal(await refused("pgd", ...data), /expected a model to evade, got none/);
    expect(existsSync(at("refused"))).toBe(false);
  });
});

describe("attack apply", () => {
  test("puts a stored trigger onto pictures, the same in any batch", async () => {
    const args = ["attack", "apply", at("badnets/trigger"), at("six.npy"), "--json", "--quiet"];
    const { code, stdout } = await runInside([...args, "-o", at("applied")]);
    expect(code).toBe(0);
    const printed = JSON.parse(stdout) as { trigger: object; images: { name: string; output: string }[] };
    expect(printed.trigger).toMatchObject({ attack: "badnets", kind: "patch" });
    expect(printed.images.map(({ name }) => name)).toEqual([0, 1, 2, 3, 4, 5].map((i) => `six/0000${i}`));
    await runInside([...args, "--batch", "4", "-o", at("again")]);
    for (const { name, output } of printed.images) {
      const bytes = readFileSync(join(at("applied"), output));
      expect(bytes.equals(readFileSync(join(at("again"), output)))).toBe(true);
      const { pixels } = await decodePicture(bytes, name);
      expect([...pixels.subarray(28 * 32 + 28, 28 * 32 + 31)]).toEqual([255, 255, 255]);
    }
  });

  test("reads triggers as they were stored before there was a schema", async () => {
    const images = "models/fashion-mnist-badnets/images";
    const { code, stdout } = await runInside([
      ...["attack", "apply", "models/fashion-mnist-badnets/trigger", `${images}/00001.png`],
      ...["--json", "--quiet", "-o", at("old")],
    ]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ trigger: { labels: { kind: "all-to-one", target: 0 } } });
    expect(existsSync(at("old/images/00001.png"))).toBe(true);
  });

  test("refuses pictures that do not fit and folders that are no trigger", async () => {
    const images = "models/fashion-mnist-badnets/images";
    const apply = (...args: string[]): Promise<CliResult> =>
      runInside(["attack", "apply", ...args, "--quiet", "-o", at("unfit")]);
    expectRefusal(await apply(at("badnets/trigger"), images), /expected 3 channels \(colour\), got 1.*--channels 3/);
    expectRefusal(await apply(images, images), /trigger.json: expected a file/);
    expectRefusal(await apply(at("badnets/trigger")), /expected IMAGES/);
    expect(existsSync(at("unfit"))).toBe(false);
  });
});
