import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FormatError, InputError, OptionError } from "../core/errors.ts";
import { GraphBuilder } from "../graph/builder.ts";
import { graphToBytes } from "../graph/to-model.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { float32 } from "../tensor/tensor.ts";
import { isAddress, openClassifierAt, openWhiteBoxAt } from "./open-classifier.ts";
import { openPriorAt } from "./open-prior.ts";
import { openRuntime } from "./open-runtime.ts";
import { readLabelNames } from "./read-labels.ts";

const shipped = "models/fashion-mnist-badnets";
let root: string;
let runtime: Runtime;
const at = (name: string): string => join(root, name);
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "untrigger-"));
  runtime = await openRuntime({ threads: 1 }, () => expect.unreachable("the native engine is installed"));
});
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

test("openWhiteBoxAt opens a local model with its gradients, and refuses an address", async () => {
  const classifier = await openWhiteBoxAt(shipped, runtime, { threads: 1 });
  const { gradient } = await classifier.lossGradient(float32([1, 1, 28, 28]), [0]);
  expect(gradient.dims).toEqual([1, 1, 28, 28]);
  await classifier.dispose();
  await expect(openWhiteBoxAt("http://localhost:1", runtime)).rejects.toThrow(/an address gives no gradients/);
});

describe("openClassifierAt", () => {
  test("a folder and the file in it are the same classifier", async () => {
    const [folder, file] = [
      await openClassifierAt(shipped, runtime),
      await openClassifierAt(`${shipped}/model.onnx`, runtime),
    ];
    expect(folder.hash).toBe(file.hash);
    expect(file.labels?.[9]).toBe("Ankle boot");
    expect((await file.classify(float32([1, 1, 28, 28]))).scores.dims).toEqual([1, 10]);
    await folder.dispose();
    await file.dispose();
  });

  test("flags replace what the files say", async () => {
    cpSync(`${shipped}/model.onnx`, at("bare.onnx"));
    await expect(openClassifierAt(at("bare.onnx"), runtime)).rejects.toThrow(OptionError);
    const labels = [..."abcdefghij"];
    const classifier = await openClassifierAt(at("bare.onnx"), runtime, { mean: [0.286], std: [0.353], labels });
    expect(classifier.labels).toEqual(labels);
    const known = await openClassifierAt(shipped, runtime);
    const grey = float32([1, 1, 28, 28]);
    expect((await classifier.classify(grey)).scores).toEqual((await known.classify(grey)).scores);
    await expect(openClassifierAt(shipped, runtime, { labels: ["a"] })).rejects.toThrow(/expected .*1.*got/);
    await classifier.dispose();
    await known.dispose();
  });

  test("what is missing or damaged is named", async () => {
    await expect(openClassifierAt(at("none.onnx"), runtime)).rejects.toThrow(
      "none.onnx: expected an ONNX file, a folder with model.onnx, or an address, got nothing there.",
    );
    await expect(openClassifierAt(root, runtime)).rejects.toThrow("model.onnx: expected a file, got nothing there.");
    writeFileSync(at("text.onnx"), "hello");
    await expect(openClassifierAt(at("text.onnx"), runtime)).rejects.toThrow(/text\.onnx: ONNX model: expected/);
    mkdirSync(at("broken"));
    cpSync(`${shipped}/model.onnx`, at("broken/model.onnx"));
    writeFileSync(at("broken/config.json"), "<html>");
    await expect(openClassifierAt(at("broken"), runtime)).rejects.toThrow("config.json: expected JSON, got other text");
    await expect(openClassifierAt(shipped, undefined)).rejects.toThrow(
      "expected a runtime for a local model, got none",
    );
    expect([isAddress("https://host/x"), isAddress("http.onnx")]).toEqual([true, false]);
  });
});

describe("openPriorAt", () => {
  test("a checkpoint file, whatever its name, with its config beside it", async () => {
    mkdirSync(at("checkpoints"));
    cpSync("test/golden/unet-openai/improved-learn-sigma/model.pt", at("checkpoints/ema_0.9999.pt"));
    cpSync("test/golden/unet-openai/improved-learn-sigma/config.json", at("checkpoints/config.json"));
    // Neighbours of another layout must not decide what the file is.
    writeFileSync(at("checkpoints/model_index.json"), "{}");
    const prior = await openPriorAt(at("checkpoints/ema_0.9999.pt"), runtime);
    expect(prior.variance).toBe("learned-range");
    await prior.dispose();
  });

  test("an ONNX file beside the config of something else", async () => {
    const g = new GraphBuilder();
    const x = g.input("sample", "float32", ["batch", 1, 2, 2]);
    const t = g.input("timestep", "float32", ["batch"]);
    const scale = g.op("Reshape", [g.op("Mul", [t, g.float(0)]), g.ints(-1, 1, 1, 1)]);
    g.output("out", g.op("Add", [x, scale]), "float32", ["batch", 1, 2, 2]);
    mkdirSync(at("onnx"));
    writeFileSync(at("onnx/net.onnx"), graphToBytes(g.build("net")));
    writeFileSync(at("onnx/config.json"), JSON.stringify({ id2label: { 0: "cat" } }));
    const scheduler = { _class_name: "DDPMScheduler", beta_start: 1e-4, beta_end: 0.02, num_train_timesteps: 10 };
    writeFileSync(at("onnx/scheduler_config.json"), JSON.stringify(scheduler));
    const prior = await openPriorAt(at("onnx/net.onnx"), runtime);
    expect(prior.dims).toEqual({ channels: 1, height: 2, width: 2 });
    await prior.dispose();
  });

  test("a folder is not left through links", async () => {
    mkdirSync(at("linked"));
    symlinkSync(join(process.cwd(), "models/fashion-mnist-prior/unet"), at("linked/unet"));
    await expect(openPriorAt(at("linked"), runtime)).rejects.toThrow('got the name "unet/config.json" that leaves it');
  });

  test("what is missing, or called otherwise, is refused", async () => {
    await expect(openPriorAt(at("no-prior"), runtime)).rejects.toThrow(
      "expected a prior's folder, .pt or .onnx file, got nothing",
    );
    await expect(openPriorAt("package.json", runtime)).rejects.toThrow(InputError);
  });
});

describe("readLabelNames", () => {
  test("reads a list or lines, and refuses gaps", async () => {
    writeFileSync(at("list.json"), '["cat", "dog"]');
    writeFileSync(at("lines.txt"), "cat\r\ndog\n");
    writeFileSync(at("gap.txt"), "cat\n\ndog");
    writeFileSync(at("numbers.json"), "[1]");
    expect(await readLabelNames(at("list.json"))).toEqual(["cat", "dog"]);
    expect(await readLabelNames(at("lines.txt"))).toEqual(["cat", "dog"]);
    await expect(readLabelNames(at("gap.txt"))).rejects.toThrow(FormatError);
    await expect(readLabelNames(at("numbers.json"))).rejects.toThrow("expected a JSON list of class names");
  });
});
