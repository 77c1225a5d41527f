import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { bytesOf, global, torchZip } from "../../test/support/pickle-bytes.ts";
import { FormatError } from "../core/errors.ts";
import { decodePlainPng } from "../images/png.ts";
import { float32, tensor } from "../tensor/tensor.ts";
import { readBackdoorBench, readPoisonIndices } from "./backdoorbench.ts";
import { type BackdoorBenchToWrite, writeBackdoorBench } from "./backdoorbench-writer.ts";
import { openTorchFile } from "./torch-file.ts";
import { type Writable, writeTorchFile } from "./torch-writer.ts";

const ramp = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (7 * i) % 256);
const example: BackdoorBenchToWrite = {
  model: {
    name: "preactresnet18",
    numClasses: 3,
    weights: new Map([["linear.bias", float32([3], [1, 2, 3])]]),
    imageSize: { channels: 3, height: 4, width: 5 },
  },
  dataset: "cifar10",
  train: {
    total: 6,
    images: tensor("uint8", [2, 3, 4, 5], ramp(120)),
    indices: [4, 1],
    labels: [0, 0],
    originalLabels: [2, 1],
  },
  test: {
    total: 3,
    images: tensor("uint8", [1, 3, 4, 5], ramp(60)),
    indices: [2],
    labels: [0],
    originalLabels: [1],
  },
};

describe("writeBackdoorBench", () => {
  test.each(["numpy", "tensor"] as const)("what it writes is read back, arrays as %s", (arrays) => {
    const files = writeBackdoorBench(example, { arrays });
    expect(Object.keys(files)).toEqual([
      "attack_result.pt",
      "train_poison_index_list.pickle",
      "bd_train_dataset/2/4.png",
      "bd_train_dataset/1/1.png",
      "bd_test_dataset/1/2.png",
    ]);
    const result = readBackdoorBench(files["attack_result.pt"] ?? new Uint8Array());
    expect(result.model).toEqual({ ...example.model });
    expect(result.train).toEqual({
      total: 6,
      indicator: Uint8Array.of(0, 1, 0, 0, 1, 0),
      order: Int32Array.of(0, 1, 2, 3, 4, 5),
      items: [
        { index: 1, path: "bd_train_dataset/1/1.png", label: 0, originalLabel: 1 },
        { index: 4, path: "bd_train_dataset/2/4.png", label: 0, originalLabel: 2 },
      ],
    });
    expect(result.test?.order).toEqual(Int32Array.of(2));
    const picture = decodePlainPng(files["bd_train_dataset/1/1.png"] ?? new Uint8Array(), "1.png");
    expect(picture?.pixels).toEqual(ramp(120).subarray(60));
    expect(readPoisonIndices(files["train_poison_index_list.pickle"] ?? new Uint8Array())).toEqual(Int32Array.of(1, 4));
  });

  test("refuses what BackdoorBench could not load", () => {
    const train =
      (change: object): (() => unknown) =>
      () =>
        writeBackdoorBench({ ...example, train: { ...example.train, ...change } });
    expect(() => writeBackdoorBench(example, { folder: "out" })).toThrow(/contains "record"/);
    expect(() => writeBackdoorBench(example, { dataPath: "sets" })).toThrow(/contains "data"/);
    expect(train({ indices: [4, 6] })).toThrow("bd_train_dataset: expected indices from 0 to 5, got 6.");
    expect(train({ indices: [4, 4] })).toThrow(/every index once/);
    expect(train({ labels: [0] })).toThrow(/expected 2 labels, got 1/);
    expect(train({ images: tensor("uint8", [2, 3, 5, 4], ramp(120)) })).toThrow(/expected images \[2, 3, 4, 5\]/);
  });
});

describe("readBackdoorBench refuses", () => {
  const container = new Map<string, Writable>([
    ["save_folder_path", "/r/bd_train_dataset"],
    ["data_dict", new Map<number, Writable>([[0, item("/r/bd_train_dataset/1/0.png", [0, 1])]])],
  ]);
  const part = new Map<string, Writable>([
    ["bd_data_container", container],
    ["poison_indicator", { tuple: [1, 0] }],
    ["original_index_array", [0, 1]],
  ]);
  const whole = new Map<string, Writable>([
    ["model_name", "preactresnet18"],
    ["num_classes", 2],
    ["model", new Map<string, Writable>([["w", float32([1], [1])]])],
    ["img_size", [8, 8, 3]],
    ["clean_data", "cifar10"],
    ["bd_train", part],
    ["bd_test", null],
  ]);
  function item(path: string, labels: readonly number[]): Writable {
    return new Map<string, Writable>([
      ["path", path],
      ["other_info", labels],
    ]);
  }
  const stored = (path: string, labels: readonly number[], index = 0): Writable =>
    new Map([
      ...part,
      [
        "bd_data_container",
        new Map<string, Writable>([
          ["save_folder_path", "/r/bd_train_dataset"],
          ["data_dict", new Map<number, Writable>([[index, item(path, labels)]])],
        ]),
      ],
    ]);
  const read =
    (changes: Readonly<Record<string, Writable>>): (() => unknown) =>
    () =>
      readBackdoorBench(writeTorchFile(new Map([...whole, ...Object.entries(changes)])), "r.pt");

  test("nothing, when all is well", () => {
    expect(read({})).not.toThrow();
  });

  test.each<[string, Readonly<Record<string, Writable>>, RegExp]>([
    [
      "another number of classes",
      { num_classes: "many" },
      /num_classes: expected an integer from 2 to 65536, got a text/,
    ],
    ["a model without tensors", { model: new Map() }, /model: expected tensors by name, got none/],
    ["a name that is none", { model_name: 3 }, /expected a text "model_name", got the number 3/],
    ["a size without channels", { img_size: [8, 8] }, /1 or 3 channels\], got nothing/],
    [
      "x and y of old versions",
      { bd_train: new Map([["x", 1]]) },
      /got the tensors x and y of BackdoorBench before 2023/,
    ],
    ["a part that is none", { bd_train: 5 }, /bd_train: expected a dict, got the number 5/],
    [
      "missing arrays",
      { bd_train: new Map([["bd_data_container", container]]) },
      /poison_indicator: expected an array/,
    ],
    ["paths that climb", { bd_train: stored("/x/../../etc/passwd", [0, 1]) }, /expected the path of a picture below/],
    [
      "classes that are not there",
      { bd_train: stored("a/b/0.png", [0, 2]) },
      /other_info: expected an integer from 0 to 1/,
    ],
    [
      "indices that are not there",
      { bd_train: stored("a/b/0.png", [0, 1], 2) },
      /data_dict\[2\]: expected an integer from 0 to 1/,
    ],
    [
      "images that are not flagged",
      { bd_train: stored("a/b/0.png", [0, 1], 1) },
      /poison_indicator 1 for the stored image 1/,
    ],
  ])("%s", (_, changes, sentence) => {
    expect(read(changes)).toThrow(FormatError);
    expect(read(changes)).toThrow(sentence);
  });

  test("a dict of something else, and a missing key by name", () => {
    expect(() => readBackdoorBench(writeTorchFile(new Map([["epoch", 3]])), "r.pt")).toThrow(
      "r.pt: expected a result of BackdoorBench with the key model_name, got epoch.",
    );
  });

  test("a file cut short at any place, in one sentence", () => {
    const bytes = new Uint8Array(readFileSync("test/golden/interop/backdoorbench/attack_result.pt"));
    for (const share of [0, 0.001, 0.1, 0.5, 0.9, 0.999]) {
      expect(() => readBackdoorBench(bytes.subarray(0, Math.floor(share * bytes.length)))).toThrow(FormatError);
    }
  });

  test("code: what would run is named, and a module is told apart from malice", () => {
    const harmful = torchZip(bytesOf("\x80\x02", global("os", "system"), "(X\x02\x00\x00\x00lstR."));
    expect(() => readBackdoorBench(harmful, "r.pt")).toThrow(/asks for os\.system, which is never run/);
    const picture = torchZip(bytesOf("\x80\x02", global("PIL.Image", "Image"), ")\x81."));
    expect(() => openTorchFile(picture, "r.pt")).toThrow(/asks for PIL\.Image\.Image, which is never run/);
    const own = torchZip(bytesOf("\x80\x02", global("models.resnet", "ResNet"), ")\x81."));
    expect(() => openTorchFile(own, "r.pt")).toThrow(
      /a pickled torch\.nn\.Module \(it asks for models\.resnet\.ResNet\)/,
    );
    expect(() => openTorchFile(Uint8Array.of(1, 2, 3), "r.pt")).toThrow(/expected a file of torch\.save/);
  });
});
