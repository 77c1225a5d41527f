/** @file `untrigger audit` and `purify --require-audit`, whole, on priors in closed form. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readSafetensors } from "../../src/nn/checkpoints/safetensors.ts";
import { writeSafetensors } from "../../src/nn/checkpoints/safetensors-writer.ts";
import { type AuditRecord, auditRecord } from "../../src/results/audit-record.ts";
import { float32 } from "../../src/tensor/tensor.ts";
import { runInside } from "../support/cli.ts";
import { closedFormPrior } from "../support/closed-form-priors.ts";
import { bytesOf, global } from "../support/pickle-bytes.ts";

let folder: string;
const at = (...parts: string[]): string => join(folder, ...parts);
const write = (place: string, files: Readonly<Record<string, string | Uint8Array>>): void => {
  for (const [name, bytes] of Object.entries(files)) {
    mkdirSync(dirname(at(place, name)), { recursive: true });
    writeFileSync(at(place, name), bytes);
  }
};
const run = (...args: string[]) => runInside([...args, "--threads", "1", "--quiet"], { UNTRIGGER_DATA: at("cache") });
const set = (settings: Readonly<Record<string, unknown>>): string[] =>
  Object.entries(settings).flatMap(([key, value]) => ["--set", `${key}=${value}`]);
const enough = set({ iterations: 160, samples: 6, steps: 60 });
const brief = set({ iterations: 2, samples: 2, steps: 10 });
async function audit(
  prior: string,
  settings: readonly string[],
  ...more: string[]
): Promise<{ record: AuditRecord; code: number | null }> {
  const args = ["audit", at(prior), "-o", at(`${prior}-report`), "--json", ...settings, ...more];
  const { stdout, stderr, code } = await run(...args);
  expect(stderr).toBe("");
  return { record: auditRecord.parse(JSON.parse(stdout)), code };
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "untrigger-audit-"));
  for (let i = 0; i < 4; i++) write(`clean/${i}`, closedFormPrior(-0.1 + 0.1 * i, false));
  write("good", closedFormPrior(0.15, false));
  write("bad", closedFormPrior(0.05, true));
  write("bad", {
    "fetch.py": "print()",
    "notes.pkl": bytesOf("\x80\x02", global("os", "system"), "."),
    LICENSE: "\nMIT License\n",
  });
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("audit", () => {
  it("finds a backdoor, its target and what lies beside the weights", async () => {
    const { record, code } = await audit(
      "bad",
      enough,
      "--references",
      at("clean"),
      "--fpr",
      "0.2",
      "--fail-on",
      "backdoored",
    );
    expect(record).toMatchObject({ verdict: "backdoored", pValue: 0.2, prior: { steps: 60, prediction: "epsilon" } });
    expect(code).toBe(1);
    expect(record.measure.agreement.shifted).toBeGreaterThan(1);
    expect(record.measure.score).toBeGreaterThan(1 + Math.max(...record.references.map(({ score }) => score)));
    const texts = record.findings.map(({ text }) => text).join("\n");
    expect(texts).toMatch(/fetch\.py is a program/);
    expect(texts).toMatch(/notes\.pkl was refused: .*os\.system/);
    expect(record.licences).toEqual([{ file: "LICENSE", text: "MIT License" }]);
    expect(record.files.map(({ name }) => name)).toEqual([
      "LICENSE",
      "fetch.py",
      "model.onnx",
      "notes.pkl",
      "scheduler_config.json",
    ]);
    const page = readFileSync(at("bad-report/index.html"), "utf8");
    expect(page).toMatch(/Backdoored/);
    expect(page).toMatch(/Supply chain/);
    expect(readFileSync(at("bad-report/results.jsonl"), "utf8").trim().split("\n")).toHaveLength(5);
  });

  it("calls a clean one clean, and undecided what it cannot know", async () => {
    const { record, code } = await audit(
      "good",
      enough,
      "--references",
      at("clean"),
      "--fpr",
      "0.2",
      "--fail-on",
      "undecided",
    );
    expect([record.verdict, code]).toEqual(["clean", 0]);
    const alone = await audit("good", enough, "--fail-on", "undecided");
    expect([alone.record.verdict, alone.record.pValue, alone.code]).toEqual(["undecided", null, 1]);
    const few = await audit("bad", enough, "--references", at("clean"));
    expect(few.record.verdict).toBe("undecided");
    expect(few.record.reason).toMatch(/4 references cannot give 0\.05 or less: it takes 19/);
  });

  it("looks at channels that break, given clean images", async () => {
    const prior = ["--set", "widths=8,8", "--set", "trainTimesteps=10", "--set", "epochs=1", "--set", "batch=8"];
    const made = await run("train", "prior", "--data", "shapes", "--limit", "24", ...prior, "-o", at("net"));
    expect(made.stderr).toBe("");
    const pruning = set({ pruningEpochs: 2, pruningSteps: 2, pruningBatch: 4, bound: "official" });
    const { record } = await audit("net", [...brief, ...pruning], "--images", "shapes");
    expect(record.pruning?.epochs).toHaveLength(2);
    expect(record.tensors.length).toBeGreaterThan(20);
    const weights = at("net/unet/diffusion_pytorch_model.safetensors");
    const { tensors } = readSafetensors(readFileSync(weights));
    writeFileSync(
      weights,
      writeSafetensors(new Map([...tensors, ["loader.code", float32([1])], ["zz", float32([1])]])),
    );
    const extra = await run("audit", at("net"), "-o", at("none"));
    expect(extra.stderr).toMatch(/expected only tensors that the config has a place for, got "loader\.code", "zz"\./);
    expect(record.licences).toEqual([]);
  });
});

describe("what cannot be audited", () => {
  const refusal = async (prior: string, ...more: string[]): Promise<string> => {
    const { stderr, code } = await run("audit", prior, "-o", at("none"), ...more);
    expect(code).toBe(2);
    return stderr;
  };

  it("says which part is missing", async () => {
    expect(await refusal(at("nowhere"))).toMatch(/nowhere: expected a prior's folder/);
    expect(await refusal("models/fashion-mnist-badnets")).toMatch(
      /expected the config of a diffusion prior, got that of a classifier/,
    );
    write("vae", { "config.json": JSON.stringify({ _class_name: "AutoencoderKL" }) });
    expect(await refusal(at("vae"))).toMatch(/got that of AutoencoderKL/);
    const parts = {
      unet: ["diffusers", "UNet2DConditionModel"],
      vae: ["diffusers", "AutoencoderKL"],
      scheduler: ["diffusers", "PNDMScheduler"],
    };
    write("text", { "model_index.json": JSON.stringify({ _class_name: "StableDiffusionPipeline", ...parts }) });
    expect(await refusal(at("text"))).toMatch(/StableDiffusionPipeline with unet \(UNet2DConditionModel\), vae/);
    write("bare", { "model.onnx": closedFormPrior(0, false)["model.onnx"]! });
    expect(await refusal(at("bare"))).toMatch(/expected scheduler_config\.json/);
  });

  it("says what contradicts", async () => {
    write("learned", {
      ...closedFormPrior(0, false),
      "scheduler_config.json": JSON.stringify({ num_train_timesteps: 60, variance_type: "learned_range" }),
    });
    expect(await refusal(at("learned"))).toMatch(/expected "variance_type" fixed_small or fixed_large/);
    expect(await refusal("models/fashion-mnist-prior", "--references", at("clean"), ...brief)).toMatch(
      /expected references for images of \[1, 28, 28\], got 0 for \[1, 8, 8\]/,
    );
    expect(await refusal(at("good"), "--references", at("good"))).toMatch(/expected a folder of clean priors/);
    write("twice/a", closedFormPrior(0, false));
    write("twice/b", closedFormPrior(0, false));
    expect(await refusal(at("good"), "--references", at("twice"), ...brief)).toMatch(/got b twice/);
  });

  it.each(["v_prediction", "sample"])("but not a prior that predicts %s", async (prediction) => {
    const scheduler = { num_train_timesteps: 60, beta_end: 0.2, prediction_type: prediction };
    write(prediction, { ...closedFormPrior(0, false), "scheduler_config.json": JSON.stringify(scheduler) });
    const { record } = await audit(prediction, brief);
    expect(record.prior.prediction).toBe(prediction);
  });
});

describe("purify --require-audit", () => {
  const purify = (prior: string, ...more: string[]) => {
    const out = ["-o", at("out"), ...set({ t: 20, steps: 2 }), "--fit", "--channels", "1", "--no-preview"];
    return run("purify", "models/fashion-mnist-badnets/images/00000.png", "--prior", at(prior), ...out, ...more);
  };

  it("takes the prior that was audited, and no other bytes", async () => {
    write("kept", closedFormPrior(0.1, false));
    expect((await purify("kept", "--require-audit")).stderr).toMatch(
      /expected an audit of .*kept as it is now, got none/,
    );
    await audit("kept", brief);
    expect(await purify("kept", "--require-audit")).toMatchObject({ stderr: "", code: 0 });
    expect(await purify("kept", "--require-audit", at("kept-report"))).toMatchObject({ code: 0 });

    const changed = JSON.parse(readFileSync(at("kept/scheduler_config.json"), "utf8"));
    write("kept", { "scheduler_config.json": JSON.stringify({ ...changed, beta_end: 0.19 }) });
    const refused = await purify("kept", "--require-audit", at("kept-report"));
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(/expected the prior that was audited \(scheduler_config\.json: SHA-256/);
    expect((await purify("kept", "--require-audit")).stderr).toMatch(/as it is now, got none/);
  });

  it("refuses one that was found backdoored, and a report that is none", async () => {
    await audit("bad", enough, "--references", at("clean"), "--fpr", "0.2");
    expect((await purify("bad", "--require-audit")).stderr).toMatch(/expected a prior that was not found backdoored/);
    expect((await purify("bad", "--require-audit", "package.json")).stderr).toMatch(
      /expected an audit, got another document/,
    );
    const alone = await run(
      "purify",
      "models/fashion-mnist-badnets/images",
      "--require-audit",
      at("x"),
      "-o",
      at("out"),
    );
    expect(alone.stderr).toMatch(/--require-audit: expected a prior to ask it of/);
  });
});
