/** @file Repairs, inverters and scans as columns of a bench: what their rows hold, and that a kill changes none of it. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { triggerFiles } from "../../src/attacks/trigger-folder.ts";
import { GraphBuilder } from "../../src/graph/builder.ts";
import { graphToBytes } from "../../src/graph/to-model.ts";
import { type BenchDone, type BenchRow, readBenchRows } from "../../src/results/bench-row.ts";
import { float32 } from "../../src/tensor/tensor.ts";
import { runCli, runInside, startCli } from "../support/cli.ts";
import { textureModel, texturesNpz } from "../support/scan-fixtures.ts";

const folder = mkdtempSync(join(tmpdir(), "untrigger-columns-"));
const at = (name: string): string => join(folder, name);

const plan = `
data: ${at("textures.npz")}
images: 60
calibration: 0
sheet: 0
attacks: [{ folder: ${at("backdoored")} }, { folder: ${at("clean")} }]
purifiers: [none]
repairs: [{ name: fine-tuning, options: { epochs: 1, batch: 16 }, cleanImages: 40 }]
inverters: [{ name: universal-perturbation, options: { images: 8, steps: 20 }, cleanImages: 24 }]
scans: [{ references: ${at("references")}, inverters: [universal-perturbation], falsePositiveRate: 0.4, cleanImages: 24 }]
`;
const CELLS = 8;

/** A model in a folder, taking values from 0 to 1. */
function writeModel(name: string, model: Uint8Array): void {
  mkdirSync(at(name), { recursive: true });
  writeFileSync(at(`${name}/model.onnx`), model);
  writeFileSync(at(`${name}/preprocessor_config.json`), JSON.stringify({ image_mean: [0], image_std: [1] }));
}

/** The trigger of the backdoored texture model: a bright corner. */
function writeTrigger(): void {
  const corner = float32([1, 8, 8]);
  corner.data[63] = 1;
  const files = triggerFiles({
    kind: "patch",
    attack: "badnets",
    source: "here",
    seed: 0,
    labels: { kind: "all-to-one", target: 0 },
    shape: [1, 8, 8],
    parameters: { blend: 1 },
    arrays: { mask: corner, pattern: corner },
  });
  mkdirSync(at("backdoored/trigger"));
  for (const [name, bytes] of Object.entries(files)) writeFileSync(at(`backdoored/trigger/${name}`), bytes);
}

/** A model through whose pixels no gradient passes. */
function opaqueModel(): Uint8Array {
  const b = new GraphBuilder();
  const rounded = b.op("Round", [b.op("Flatten", [b.input("x", "float32", ["N", 1, 8, 8])])]);
  const weights = b.weight("weights", float32([64, 3], new Float32Array(192).fill(0.1)));
  b.output("scores", b.op("MatMul", [rounded, weights]), "float32", ["N", 3]);
  return graphToBytes(b.build("opaque"));
}

/** Rows of a folder without what differs from run to run, by cell. */
function rowsOf(name: string): BenchRow[] {
  const { rows } = readBenchRows(readFileSync(at(`${name}/results.jsonl`)), name);
  return rows
    .map((row) => ({ ...row, seconds: 0, finished: "", command: "", secondsOnce: 0, secondsPerImage: 0 }))
    .sort((a, b) => a.cell.localeCompare(b.cell));
}

/** A row of the whole bench. */
function rowFor(attack: string, kind: BenchDone["defence"]["kind"]): BenchDone {
  const { rows } = readBenchRows(readFileSync(at("whole/results.jsonl")), "whole");
  const row = rows.find((one) => one.attack.name === attack && one.defence.kind === kind);
  if (row?.status !== "done") throw new Error(`no row for ${attack} and ${kind}: ${JSON.stringify(row)}`);
  return row;
}

const sleep = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

beforeAll(async () => {
  writeFileSync(at("textures.npz"), texturesNpz(600));
  writeModel("backdoored", textureModel({ backdoor: true }));
  writeModel("clean", textureModel());
  writeTrigger();
  writeFileSync(at("plan.yaml"), plan);
  const few = ["--reference-count", "2", "--reference-networks", "small-cnn:4", "--reference-visits", "4000"];
  const made = await runInside([
    ...["scan", "references", "--images", at("textures.npz"), ...few],
    ...["-o", at("references"), "--threads", "1", "--quiet"],
  ]);
  expect([made.stderr, made.code]).toEqual(["", 0]);
  const whole = await runCli(["bench", at("plan.yaml"), "-o", at("whole"), "--threads", "1"]);
  expect([whole.code, whole.stderr]).toEqual([0, expect.stringContaining(`${CELLS}/${CELLS}`)]);
}, 900_000);
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe("bench PLAN", () => {
  test("measures a mended model on the images of all cells", () => {
    const [before, after] = [rowFor("badnets", "none"), rowFor("badnets", "repair")];
    expect(before.counts.attackSuccess).toMatchObject({ hits: 40, total: 40 });
    expect(after.counts.attackSuccess?.total).toBe(40);
    expect(after.counts.cleanAccuracy?.total).toBe(60);
    expect(after.classifierHash).toBe(before.classifierHash);
    expect(after.secondsOnce).toBeGreaterThan(0);
    expect(after.defence).toMatchObject({ name: "fine-tuning", options: { epochs: 1, cleanImages: 40 } });
  });

  test("tries the reconstruction of each class on images of the others, and compares it with the true trigger", () => {
    const { inversion, target, counts } = rowFor("badnets", "inverter");
    expect([target, counts.cleanAccuracy, counts.attackSuccess]).toEqual([0, null, null]);
    expect(inversion).toMatchObject({ statistic: "success", top: 0, topIsTarget: true, anomaly: null });
    expect(inversion?.classes.map((one) => [one.class, one.success?.total])).toEqual([
      [0, 40],
      [1, 40],
      [2, 40],
    ]);
    const [found, other] = inversion?.classes ?? [];
    expect(found?.success?.hits).toBeGreaterThan(36);
    expect(found?.iou).toBe(1);
    expect(other?.iou).toBeNull();
    expect(found?.l2).toBeGreaterThan(0);
    const clean = rowFor("none", "inverter");
    expect([clean.target, clean.inversion?.topIsTarget]).toEqual([null, null]);
    expect(clean.inversion?.classes).toHaveLength(3);
  });

  test("lets the whole detector judge a model", () => {
    const { scan, inversion, defence } = rowFor("badnets", "scan");
    expect(inversion).toBeNull();
    expect(scan).toMatchObject({ pValue: expect.closeTo(1 / 3, 6) as number, top: 0, topIsTarget: true });
    expect(scan?.classes.map((one) => one.class)).toEqual([0, 1, 2]);
    expect(defence).toMatchObject({ name: "scan", options: { falsePositiveRate: 0.4, cleanImages: 24 } });
    expect(rowFor("none", "scan").scan?.topIsTarget).toBeNull();
  });

  test("shows all of it on the page", () => {
    const html = readFileSync(at("whole/index.html"), "utf8");
    for (const title of ["Reconstructed triggers", "Scans"]) expect(html).toContain(`>${title}</h2>`);
    expect(readFileSync(at("whole/results.md"), "utf8")).toContain("fine-tuning");
  });

  test("killed and resumed, it has the same rows", async () => {
    const args = ["bench", at("plan.yaml"), "-o", at("killed"), "--resume", "--threads", "1"];
    const bench = startCli(args);
    while (!existsSync(at("killed/results.jsonl"))) await sleep(50);
    await sleep(1500);
    bench.process.kill("SIGKILL");
    await bench.result;
    await sleep(500);
    expect((await runCli([...args, "--quiet"])).code).toBe(0);
    expect(rowsOf("killed")).toEqual(rowsOf("whole"));
  }, 300_000);
});

describe("refuses in one sentence, before any work", () => {
  test.each([
    ["a folder without references", plan.replace(at("references"), at("nowhere")), /nowhere: .*scan references/],
    [
      "a model without gradients",
      plan.replace(at("clean"), at("opaque")).replace(/^scans: .*$/m, ""),
      /attacks\.1: .*no gradient passes Round/,
    ],
    ["more clean images than there are", plan.replace("cleanImages: 40", "cleanImages: 400"), /repairs\.0: .*got 400/],
    [
      "nothing that stands against attacks",
      plan.replaceAll(/^(purifiers|repairs|inverters|scans): .*$/gm, ""),
      /got none of them/,
    ],
  ])("%s", async (_, yaml, sentence) => {
    writeModel("opaque", opaqueModel());
    writeFileSync(at("wrong.yaml"), yaml);
    const { code, stdout, stderr } = await runInside(["bench", at("wrong.yaml"), "-o", at("wrong")]);
    expect(stderr).toMatch(sentence);
    expect([code, stdout, existsSync(at("wrong/results.jsonl"))]).toEqual([2, "", false]);
    expect(stderr.trim().split("\n")).toHaveLength(1);
  });
});
