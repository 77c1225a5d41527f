import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FormatError, OptionError } from "../core/errors.ts";
import { GraphBuilder, int } from "../graph/builder.ts";
import type { Graph } from "../graph/ir.ts";
import { graphToBytes } from "../graph/to-model.ts";
import { buildClassifier } from "../nn/architectures/build-classifier.ts";
import { freshWeights } from "../nn/fresh-weights.ts";
import { openClassifierAt } from "../node/open-classifier.ts";
import { createNodeRuntime } from "../runtime/node.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { unitFromBytes } from "../tensor/image-bytes.ts";
import { type Float32Tensor, float32 } from "../tensor/tensor.ts";
import { openOnnxClassifier } from "./onnx.ts";
import { type ClassifierToSave, saveClassifier } from "./save-classifier.ts";

const shipped = "models/fashion-mnist-badnets";
let runtime: Runtime;
let folder: string;
beforeAll(async () => {
  runtime = await createNodeRuntime({ threads: 1 });
  folder = mkdtempSync(join(tmpdir(), "untrigger-"));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

function pictures(n: number, c: number, h: number, w: number): Float32Tensor {
  return unitFromBytes(
    [n, c, h, w],
    Uint8Array.from({ length: n * c * h * w }, (_, i) => (i * 37 + 11) % 256),
  );
}

const json = (bytes: Uint8Array | undefined): unknown => JSON.parse(new TextDecoder().decode(bytes));

/** A model of given input dims whose three scores are sums of channels. */
function sums(dims: readonly (number | string)[]): Graph {
  const b = new GraphBuilder();
  const pooled = b.op("GlobalAveragePool", [b.input("pixels", "float32", dims)]);
  b.output("logits", b.op("Flatten", [pooled], { axis: int(1) }), "float32", ["N", 3]);
  return b.build("sums");
}

const labels = ["cat", "dog", "owl"];
const [mean, std] = [
  [0.4, 0.5, 0.6],
  [0.2, 0.25, 0.3],
];
const cnn = (): ClassifierToSave => ({
  model: buildClassifier({
    architecture: "small-cnn",
    options: { width: 4 },
    classes: 3,
    dims: { channels: 3, height: 20, width: 24 },
    weights: freshWeights(1),
  }),
  labels,
  mean,
  std,
  architecture: "small-cnn",
});

describe("saveClassifier", () => {
  test("what is saved opens, with the scores of the graph on normalised pixels", async () => {
    const classifier = cnn();
    const files = saveClassifier(classifier);
    for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, name), bytes);
    const opened = await openClassifierAt(folder, runtime);
    expect(opened.labels).toEqual(labels);
    expect(opened.input).toEqual({ channels: 3, height: 20, width: 24 });
    const images = pictures(4, 3, 20, 24);
    const { scores, kind } = await opened.classify(images);
    expect(kind).toBe("logits");
    await opened.dispose();

    const plane = 20 * 24;
    const channel = (i: number): number => Math.floor(i / plane) % 3;
    const normal = images.data.map((value, i) => (value - mean[channel(i)]!) / std[channel(i)]!);
    const session = await runtime.load(graphToBytes(classifier.model as Graph));
    const { logits } = await session.run({ pixel_values: float32(images.dims, normal) });
    await session.dispose();
    expect(scores.data).toBeAllclose(logits!.data as Float32Array, { atol: 1e-5 });

    const config = json(files["config.json"]);
    const preprocessor = json(files["preprocessor_config.json"]);
    const model = files["model.onnx"]!;
    const inMemory = await openOnnxClassifier({ model, config, preprocessor }, runtime);
    expect((await inMemory.classify(images)).scores).toEqual(scores);
    await inMemory.dispose();
    expect(config).toMatchObject({ architectures: ["small-cnn"], image_size: [20, 24], num_channels: 3 });
  });

  test("a graph and its bytes give the same files", () => {
    const classifier = cnn();
    const bytes = graphToBytes(classifier.model as Graph);
    expect(saveClassifier({ ...classifier, model: bytes })).toEqual(saveClassifier(classifier));
  });

  test("the shipped classifier saved again has the files that it came with", async () => {
    const shippedJson = (name: string): Record<string, unknown> =>
      JSON.parse(readFileSync(`${shipped}/${name}`, "utf8"));
    const { id2label, ...rest } = shippedJson("config.json");
    const files = saveClassifier({
      model: new Uint8Array(readFileSync(`${shipped}/model.onnx`)),
      labels: Object.values(id2label as Record<string, string>),
      mean: [0.286],
      std: [0.353],
      architecture: "SmallCNN",
    });
    expect(json(files["config.json"])).toEqual({ id2label, ...rest });
    expect(json(files["preprocessor_config.json"])).toEqual(shippedJson("preprocessor_config.json"));
  });

  test("one number serves all channels, and the size may be given where the model leaves it open", () => {
    const files = saveClassifier({
      model: sums(["N", 3, "H", "W"]),
      labels: ["a", "a", "b"],
      mean: [0.5],
      std: [1],
      size: { height: 32, width: 32 },
    });
    expect(json(files["preprocessor_config.json"])).toMatchObject({
      image_mean: [0.5, 0.5, 0.5],
      image_std: [1, 1, 1],
      size: { height: 32, width: 32 },
    });
    expect(json(files["config.json"])).toMatchObject({ image_size: 32, label2id: { a: 0, b: 2 } });
    expect(json(files["config.json"])).not.toHaveProperty("architectures");
  });

  test("what does not fit is refused in one sentence", () => {
    const free = { model: sums(["N", 3, "H", "W"]), labels, mean, std };
    const fixed = { ...free, model: sums(["N", 3, 8, 8]) };
    const refusals: readonly (readonly [ClassifierToSave, string])[] = [
      [{ ...fixed, labels: ["cat"] }, "labels: expected 3 names, one for each score of the model, got 1."],
      [{ ...fixed, mean: [0, 0] }, "mean: expected one number, or one for each of 3 channels, got 2."],
      [{ ...fixed, std: [1, 1, 0] }, "std: expected numbers above 0, got 0."],
      [{ ...fixed, mean: [Number.NaN] }, "mean: expected finite numbers, got NaN"],
      [free, "size: expected height and width for a model that takes images of any size, got none."],
      [{ ...free, size: { height: 0, width: 4 } }, "size: expected positive integers, got 0x4."],
      [{ ...fixed, size: { height: 9, width: 8 } }, "size: expected 8x8 pixels, as the model takes them, got 9x8."],
    ];
    for (const [classifier, sentence] of refusals) {
      expect(() => saveClassifier(classifier)).toThrow(sentence);
      expect(() => saveClassifier(classifier)).toThrow(OptionError);
    }
    expect(() => saveClassifier({ ...free, model: sums(["N", "C", 8, 8]) })).toThrow(
      'classifier: expected a known number of channels, got "pixels" with dims [N, C, 8, 8].',
    );
    expect(() => saveClassifier({ ...free, model: new TextEncoder().encode("hello") })).toThrow(FormatError);
  });
});
