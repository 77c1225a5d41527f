/** @file Files of other toolkits, made with torch, numpy and PIL (`interop/README.md`), read as those wrote them. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openTrigger } from "../../src/attacks/open-trigger.ts";
import { openOnnxClassifier } from "../../src/classifiers/onnx.ts";
import { readBackdoorToolboxSet } from "../../src/interop/backdoor-toolbox.ts";
import { readBackdoorBench, readPoisonIndices } from "../../src/interop/backdoorbench.ts";
import { backdoorBenchClassifier } from "../../src/interop/backdoorbench-classifier.ts";
import { readPoisonedImages } from "../../src/interop/backdoorbench-pictures.ts";
import { openTorchFile } from "../../src/interop/torch-file.ts";
import { readTrojaiMetadata, readTrojaiModel } from "../../src/interop/trojai.ts";
import { readTrojanZooMark } from "../../src/interop/trojanzoo.ts";
import { nodeDecoders } from "../../src/node/decoders.ts";
import { folderSource } from "../../src/node/folder-source.ts";
import { createNodeRuntime } from "../../src/runtime/node.ts";
import { unitFromBytes } from "../../src/tensor/image-bytes.ts";
import { float32 } from "../../src/tensor/tensor.ts";

const root = "test/golden/interop";
const bytesOf = (path: string): Uint8Array => new Uint8Array(readFileSync(join(root, path)));
const jsonOf = (path: string) => JSON.parse(readFileSync(join(root, path), "utf8"));
const result = readBackdoorBench(bytesOf("backdoorbench/attack_result.pt"));

describe("BackdoorBench", () => {
  test("attack_result.pt as data, its paths beside the file", () => {
    const { model, dataset, train, test } = result;
    expect([model.name, model.numClasses, dataset]).toEqual(["preactresnet18", 4, "cifar10"]);
    expect(model.imageSize).toEqual({ channels: 3, height: 8, width: 8 });
    expect(model.weights.get("linear.weight")?.dims).toEqual([4, 16]);
    expect(train).toEqual({
      total: 6,
      indicator: Uint8Array.of(0, 1, 0, 0, 0, 1),
      order: Int32Array.of(0, 1, 2, 3, 4, 5),
      items: [
        { index: 1, path: "bd_train_dataset/1/1.png", label: 0, originalLabel: 1 },
        { index: 5, path: "bd_train_dataset/2/5.png", label: 0, originalLabel: 2 },
      ],
    });
    expect([test?.total, test?.order, test?.items.map(({ originalLabel }) => originalLabel)]).toEqual([
      3,
      Int32Array.of(0, 2),
      [3, 1],
    ]);
    expect(readPoisonIndices(bytesOf("backdoorbench/train_poison_index_list.pickle"))).toEqual(Int32Array.of(1, 5));
  });

  test("its model in our architecture gives torch's logits for its triggered pictures", async () => {
    const { imageSize: dims } = result.model;
    if (result.test === undefined || dims === undefined) throw new RangeError("internal: no images to test");
    const source = folderSource(join(root, "backdoorbench"));
    const poisoned = await readPoisonedImages(result.test, source, { decoders: nodeDecoders, dims });
    const files = backdoorBenchClassifier(result);
    const expected = jsonOf("backdoorbench/expected.json");
    expect([...poisoned.indices]).toEqual(expected.indices);
    const model = files["model.onnx"];
    if (model === undefined) throw new RangeError("internal: no model.onnx");
    const classifier = await openOnnxClassifier(
      { model, config: parsed(files, "config.json"), preprocessor: parsed(files, "preprocessor_config.json") },
      await createNodeRuntime({ threads: 1 }),
    );
    const { scores } = await classifier.classify(unitFromBytes(poisoned.images.dims, poisoned.images.data));
    await classifier.dispose();
    expected.logits.flat().forEach((logit: number, i: number) => {
      expect(scores.data[i]).toBeCloseTo(logit, 4);
    });
  });

  test("says which architectures are known, and what is missing", () => {
    const other = { ...result, model: { ...result.model, name: "convnext_tiny" } };
    expect(() => backdoorBenchClassifier(other)).toThrow(
      /expected one of preactresnet18, resnet18, .*, got convnext_tiny\. Do export it with torch\.onnx\.export/,
    );
    const defended = readBackdoorBench(bytesOf("backdoorbench/defense_result.pt"), "defense_result.pt");
    expect([defended.train, defended.dataset]).toEqual([undefined, undefined]);
    expect(() => backdoorBenchClassifier(defended)).toThrow(/img_size: expected the size/);
    const sized = { imageSize: result.model.imageSize };
    expect(() => backdoorBenchClassifier(defended, sized)).toThrow(/clean_data: expected one of mnist, cifar10/);
    expect(() => backdoorBenchClassifier(defended, { ...sized, mean: [0], std: [1] })).toThrow(
      /model preactresnet18: expected tensor "layer1\.0\.bn1/,
    );
  });
});

test("a set of backdoor-toolbox", () => {
  const file = (name: string): Uint8Array => bytesOf(`backdoor-toolbox/${name}`);
  const set = readBackdoorToolboxSet({
    imgs: file("imgs"),
    labels: file("labels"),
    poison_indices: file("poison_indices"),
    cover_indices: file("cover_indices"),
  });
  const { sum, first } = jsonOf("backdoor-toolbox/expected.json");
  const { dims, data } = set.images;
  expect(dims).toEqual([5, 3, 8, 8]);
  const sums = Array.from({ length: 5 }, (_, i) => data.subarray(i * 192, (i + 1) * 192).reduce((a, b) => a + b, 0));
  expect(sums).toEqual(sum);
  const row = ((1 * 3 + 2) * 8 + 3) * 8;
  expect([...data.subarray(row, row + 8)]).toEqual(first);
  expect([set.labels, set.poisonIndices, set.coverIndices]).toEqual([
    Uint16Array.of(0, 3, 0, 1, 2),
    Int32Array.of(0, 2),
    Int32Array.of(4),
  ]);
});

describe("TrojanZoo", () => {
  const name = "square_white_tar2_alpha0.80_mark(3,2)";
  const mark: number[][][] = jsonOf("trojanzoo/expected.json").mark;
  const options = {
    shape: [3, 8, 6],
    parameters: { mark_height_offset: 4, mark_width_offset: 1 },
    decoders: nodeDecoders,
  } as const;

  test.each([
    ["npy", 1e-6],
    ["png", 2 / 255],
  ])("a mark as %s becomes a patch at its place", async (extension, tolerance) => {
    const record = await readTrojanZooMark(bytesOf(`trojanzoo/${name}.${extension}`), `${name}.${extension}`, options);
    expect([record.kind, record.labels, record.parameters]).toEqual([
      "patch",
      { kind: "all-to-one", target: 2 },
      { blend: 0.8 },
    ]);
    const trigger = await openTrigger(record);
    const images = float32([1, 3, 8, 6], new Float32Array(144).fill(0.25));
    const run = { noise: () => new Float32Array() };
    const { data } = await trigger.apply(images, run);
    for (let i = 0; i < data.length; i++) {
      const [c, y, x] = [Math.floor(i / 48), (Math.floor(i / 6) % 8) - 4, (i % 6) - 1];
      const alpha = 0.8 * (mark[3]?.[y]?.[x] ?? 0);
      const expected = 0.25 + alpha * ((mark[c]?.[y]?.[x] ?? 0) - 0.25);
      expect(Math.abs((data[i] ?? 0) - expected)).toBeLessThanOrEqual(tolerance);
    }
  });

  test("refuses a mark that does not fit, or that moves about", async () => {
    const bytes = bytesOf(`trojanzoo/${name}.npy`);
    await expect(readTrojanZooMark(bytes, "m.npy", { shape: [3, 2, 2] })).rejects.toThrow(/within images of \[3, 2, 2\]/);
    await expect(
      readTrojanZooMark(bytes, "m.npy", { shape: [3, 8, 8], parameters: { mark_random_pos: true } }),
    ).rejects.toThrow(/fixed place/);
    await expect(readTrojanZooMark(bytes.subarray(0, 90), "m.npy", options)).rejects.toThrow(/m\.npy: expected/);
  });
});

describe("TrojAI", () => {
  const folder = "trojai/id-00000001";
  const paths = readdirSync(join(root, folder), { recursive: true, encoding: "utf8" });

  test("a model's folder: ground truth, triggers, examples", () => {
    const model = readTrojaiModel({
      paths,
      config: bytesOf(`${folder}/config.json`),
      groundTruth: bytesOf(`${folder}/ground_truth.csv`),
    });
    expect(model).toEqual({
      poisoned: true,
      architecture: "resnet18",
      classes: 3,
      triggers: [{ sources: [1, 2], target: 0, type: "polygon" }],
      clean: [0, 1, 2].map((label) => ({
        path: `clean_example_data/class_${label}_example_0.png`,
        label,
        trigger: undefined,
      })),
      triggered: [
        { path: "poisoned_example_data/class_1_trigger_0_example_0.png", label: 1, trigger: 0 },
        { path: "poisoned_example_data/class_2_trigger_0_example_1.png", label: 2, trigger: 0 },
      ],
      module: "model.pt",
    });
  });

  test("the table of a round", () => {
    expect(readTrojaiMetadata(bytesOf("trojai/METADATA.csv"))).toEqual([
      { model: "id-00000000", poisoned: false },
      { model: "id-00000001", poisoned: true },
    ]);
  });

  test("refuses the pickled module, and says how to export it", () => {
    expect(() => openTorchFile(bytesOf(`${folder}/model.pt`), "model.pt")).toThrow(
      /^model\.pt: expected numbers and names, got a pickled torch\.nn\.Module \(it asks for torch\.nn\.modules\.container\.Sequential\), whose code is never run\. Export it where you trust it: torch\.onnx\.export\(/,
    );
  });
});

function parsed(files: Readonly<Record<string, Uint8Array>>, name: string): unknown {
  return JSON.parse(new TextDecoder().decode(files[name]));
}
