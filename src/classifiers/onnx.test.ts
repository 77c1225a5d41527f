import { readFileSync } from "node:fs";
import sharp from "sharp";
import { beforeAll, describe, expect, test } from "vitest";
import { FormatError, OptionError, RuntimeFailure, ShapeError } from "../core/errors.ts";
import { sha256Hex } from "../core/hash.ts";
import { GraphBuilder, int } from "../graph/builder.ts";
import { graphToBytes } from "../graph/to-model.ts";
import { winners } from "../metrics/accuracy.ts";
import { createNodeRuntime } from "../runtime/node.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { unitFromBytes } from "../tensor/image-bytes.ts";
import { rowsOf } from "../tensor/rows.ts";
import { type DType, type Float32Tensor, float32 } from "../tensor/tensor.ts";
import { openOnnxClassifier } from "./onnx.ts";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createNodeRuntime({ threads: 1 });
});

type Dims = readonly (number | string)[];
const NONE = { mean: 0, std: 1 };

/** A model whose scores are its input, value by value: what it was fed can be read off. */
function echo(dims: Dims, dtype: DType = "float32", outputs: "logits" | "softmax" = "logits"): Uint8Array {
  const graph = new GraphBuilder();
  const x = graph.input("pixels", dtype, dims);
  const floats = graph.op("Cast", [x], { to: int(1) });
  const rows = graph.op("Flatten", [floats], { axis: int(1) });
  graph.output("scores", outputs === "softmax" ? graph.op("Softmax", [rows], { axis: int(1) }) : rows, "float32");
  return graphToBytes(graph.build("echo"));
}

/** A model that answers the index of the largest of its values, as integers. */
function argmax(dims: Dims): Uint8Array {
  const graph = new GraphBuilder();
  const rows = graph.op("Flatten", [graph.input("x", "float32", dims)], { axis: int(1) });
  graph.output("label", graph.op("ArgMax", [rows], { axis: int(1), keepdims: int(0) }), "int64");
  return graphToBytes(graph.build("argmax"));
}

/** Images whose values are multiples of 1/255. */
function pictures(n: number, c: number, h: number, w: number): Float32Tensor {
  return unitFromBytes(
    [n, c, h, w],
    Uint8Array.from({ length: n * c * h * w }, (_, i) => (i * 37 + 11) % 256),
  );
}

async function fed(
  model: Uint8Array,
  images: Float32Tensor,
  options: object,
  preprocessor?: unknown,
): Promise<number[]> {
  const classifier = await openOnnxClassifier({ model, preprocessor }, runtime, options);
  const { scores } = await classifier.classify(images);
  await classifier.dispose();
  return [...scores.data];
}

describe("preprocessing", () => {
  const images = pictures(2, 3, 2, 2);
  const color = echo(["N", 3, 2, 2]);
  const perChannel = (values: (x: number, c: number) => number): number[] =>
    Array.from(images.data, (x, i) => values(x, Math.floor(i / 4) % 3));

  test.each([
    [
      "mean and deviation per channel",
      { image_mean: [0.1, 0.2, 0.3], image_std: [0.5, 0.25, 2] },
      (x: number, c: number) => (x - [0.1, 0.2, 0.3][c]!) / [0.5, 0.25, 2][c]!,
    ],
    ["one number for all channels", { image_mean: 0.5, image_std: [0.5] }, (x: number) => 2 * x - 1],
    ["no normalisation", { do_normalize: false, image_mean: [9, 9, 9], image_std: [9, 9, 9] }, (x: number) => x],
    [
      "no rescaling: pixels 0 to 255",
      { do_rescale: false, image_mean: [100, 110, 120], image_std: [50, 50, 50] },
      (x: number, c: number) => (255 * x - [100, 110, 120][c]!) / 50,
    ],
    [
      "another rescaling with an offset",
      { rescale_factor: 1 / 127.5, rescale_offset: true, do_normalize: false },
      (x: number) => 2 * x - 1,
    ],
    ["a second division", { image_mean: 0.5, image_std: 0.5, include_top: true }, (x: number) => 4 * x - 2],
  ])("file: %s", async (_, preprocessor, value) => {
    expect(await fed(color, images, {}, preprocessor)).toBeAllclose(perChannel(value), { atol: 2e-5 });
  });

  test("file: reversed channels", async () => {
    const reversed = await fed(color, images, {}, { do_flip_channel_order: true, do_normalize: false });
    expect(reversed.slice(0, 4)).toEqual([...images.data.slice(8, 12)]);
    expect(reversed.slice(8, 12)).toEqual([...images.data.slice(0, 4)]);
  });

  test("flags win over the file", async () => {
    const preprocessor = { image_mean: 0.1, image_std: 0.2, do_normalize: false };
    const values = await fed(color, images, { mean: 0.5, std: [0.5, 0.25, 1] }, preprocessor);
    expect(values).toBeAllclose(
      perChannel((x, c) => (x - 0.5) / [0.5, 0.25, 1][c]!),
      { atol: 1e-6 },
    );
  });

  test("without file and flags it is asked for, not guessed", async () => {
    const opening = openOnnxClassifier({ model: color }, runtime);
    await expect(opening).rejects.toThrow(OptionError);
    await expect(opening).rejects.toThrow("--mean 0.5 --std 0.5");
    await expect(openOnnxClassifier({ model: color }, runtime, { mean: 0.5 })).rejects.toThrow("Do give --std");
    await expect(openOnnxClassifier({ model: color, preprocessor: { do_rescale: true } }, runtime)).rejects.toThrow(
      "--mean",
    );
  });

  test("what cannot be is refused", async () => {
    const open = (flags: object, preprocessor?: unknown) =>
      openOnnxClassifier({ model: color, preprocessor }, runtime, flags);
    await expect(open({ mean: 0, std: 0 })).rejects.toThrow("std: expected numbers above 0, got 0");
    await expect(open({ mean: [0, 0], std: 1 })).rejects.toThrow("mean and std of 1 or 3 channels, got 2");
    await expect(open({ mean: [0, 0], std: [1, 1, 1] })).rejects.toThrow(OptionError);
    await expect(open({ mean: Number.NaN, std: 1 })).rejects.toThrow("got NaN");
    await expect(open({}, { image_mean: "grey" })).rejects.toThrow(FormatError);
    await expect(open({}, [])).rejects.toThrow(FormatError);
  });
});

describe("inputs", () => {
  test("channels last, known by the dims or by flag", async () => {
    const images = pictures(1, 3, 2, 2);
    const last = Array.from({ length: 12 }, (_, i) => images.data[(i % 3) * 4 + Math.floor(i / 3)]!);
    expect(await fed(echo(["N", 2, 2, 3]), images, NONE)).toEqual(last);
    expect(await fed(echo(["N", "a", "b", "c"]), images, { ...NONE, layout: "NHWC" })).toEqual(last);
    expect(await fed(echo(["N", "a", "b", "c"]), images, NONE)).toEqual([...images.data]);
  });

  test("bytes need no preprocessing and take none", async () => {
    const images = pictures(2, 1, 3, 3);
    const bytes = Array.from(images.data, (x) => Math.round(255 * x));
    const model = echo(["N", 1, 3, 3], "uint8");
    expect(await fed(model, images, {})).toEqual(bytes);
    expect(await fed(model, images, NONE)).toEqual(bytes);
    expect(await fed(model, images, {}, { do_normalize: false, do_rescale: false })).toEqual(bytes);
    await expect(openOnnxClassifier({ model }, runtime, { mean: 0.5, std: 0.5 })).rejects.toThrow("uint8");
  });

  test("half precision", async () => {
    const images = pictures(2, 1, 3, 3);
    expect(await fed(echo(["N", 1, 3, 3], "float16"), images, { mean: 0.5, std: 0.5 })).toBeAllclose(
      Array.from(images.data, (x) => 2 * x - 1),
      { atol: 1e-3 },
    );
  });

  test("a fixed batch is filled up, a free one is cut", async () => {
    const images = pictures(70, 1, 2, 2);
    for (const batch of [1, 4, 64, "N"])
      expect(await fed(echo([batch, 1, 2, 2]), images, NONE)).toEqual([...images.data]);
  });

  test("no images have no scores, of as many classes", async () => {
    const classifier = await openOnnxClassifier({ model: echo(["N", 1, 2, 2]) }, runtime, NONE);
    expect((await classifier.classify(float32([0, 1, 2, 2]))).scores.dims).toEqual([0, 4]);
    expect(classifier.calls).toBe(0);
    await classifier.dispose();
  });

  test("known dims are told; the file's size stands in for free ones", async () => {
    const free = echo(["N", 3, "H", "W"]);
    const inputOf = async (model: Uint8Array, preprocessor: unknown, flags = {}): Promise<unknown> => {
      const classifier = await openOnnxClassifier({ model, preprocessor }, runtime, flags);
      await classifier.dispose();
      return classifier.input;
    };
    const raw = { do_normalize: false };
    expect(await inputOf(echo(["N", 1, 5, 6]), raw)).toEqual({ channels: 1, height: 5, width: 6 });
    expect(await inputOf(free, raw)).toEqual({ channels: 3 });
    expect(await inputOf(free, { ...raw, size: 4 })).toEqual({ channels: 3, height: 4, width: 4 });
    expect(await inputOf(free, { ...raw, size: { height: 4, width: 5 } })).toEqual({
      channels: 3,
      height: 4,
      width: 5,
    });
    expect(await inputOf(free, { ...raw, size: { shortest_edge: 9 }, crop_size: { height: 8, width: 8 } })).toEqual({
      channels: 3,
      height: 8,
      width: 8,
    });
    expect(await inputOf(free, { ...raw, size: { shortest_edge: 9 } })).toEqual({ channels: 3 });
    expect(await inputOf(free, { ...raw, size: { shortest_edge: 6 }, crop_pct: 0.875 })).toEqual({
      channels: 3,
      height: 6,
      width: 6,
    });
    expect(await inputOf(free, { ...raw, size: 4, do_resize: false })).toEqual({ channels: 3 });
    expect(await inputOf(free, { ...raw, size: 4 }, { size: 7 })).toEqual({ channels: 3, height: 7, width: 7 });
  });

  test("images that do not fit are refused with both numbers", async () => {
    const classifier = await openOnnxClassifier({ model: echo(["N", 1, 28, 28]) }, runtime, NONE);
    const wrongChannels = classifier.classify(float32([2, 3, 28, 28]));
    await expect(wrongChannels).rejects.toThrow(ShapeError);
    await expect(wrongChannels).rejects.toThrow(/with 1 channel, got 3 .*--channels/);
    await expect(classifier.classify(float32([2, 1, 32, 28]))).rejects.toThrow(/28x28 pixels, got 32x28.*--fit/);
    await expect(classifier.classify(float32([28, 28]))).rejects.toThrow(ShapeError);
    await classifier.dispose();
  });
});

describe("scores", () => {
  const images = pictures(3, 1, 2, 2);

  test("are looked at, and the flag wins", async () => {
    const kindOf = async (model: Uint8Array, flags: object): Promise<string> => {
      const classifier = await openOnnxClassifier({ model }, runtime, { ...NONE, ...flags });
      const { kind } = await classifier.classify(images);
      await classifier.dispose();
      return kind;
    };
    const dims = ["N", 1, "H", "W"];
    expect(await kindOf(echo(dims), {})).toBe("logits");
    expect(await kindOf(echo(dims, "float32", "softmax"), {})).toBe("probabilities");
    expect(await kindOf(echo(dims, "float32", "softmax"), { scores: "logits" })).toBe("logits");
  });

  test("labels become one-hot rows of the known number of classes", async () => {
    const model = argmax(["N", 1, 2, 2]);
    const classifier = await openOnnxClassifier({ model, config: { num_labels: 6 } }, runtime, NONE);
    const { scores, kind } = await classifier.classify(images);
    expect(kind).toBe("labels");
    expect(scores.dims).toEqual([3, 6]);
    expect([...winners(scores)]).toEqual(
      [0, 1, 2].map((i) => {
        const row = [...images.data.slice(4 * i, 4 * i + 4)];
        return row.indexOf(Math.max(...row));
      }),
    );
    expect(scores.data.reduce((a, b) => a + b, 0)).toBe(3);
    await classifier.dispose();
    await expect(openOnnxClassifier({ model }, runtime, NONE)).rejects.toThrow("number of classes");
    const few = openOnnxClassifier({ model, config: { num_labels: 2 } }, runtime, NONE);
    await expect(few).rejects.toThrow(/labels from 0 to 1, got [23] for image/);
  });

  test("scores that are only good for their winner, by flag", async () => {
    expect(
      await fed(echo(["N", 1, 2, 2]), float32([1, 1, 2, 2], [0.1, 0.9, 0.9, 0.2]), { ...NONE, scores: "labels" }),
    ).toEqual([0, 1, 0, 0]);
  });

  test("not finite: the image is named", async () => {
    const classifier = await openOnnxClassifier({ model: echo([1, 1, 2, 2]) }, runtime, NONE);
    const broken = float32([3, 1, 2, 2]);
    broken.data[9] = Number.NaN;
    const answer = classifier.classify(broken);
    await expect(answer).rejects.toThrow(RuntimeFailure);
    await expect(answer).rejects.toThrow("got NaN for image 2");
    await classifier.dispose();
  });

  test("names of classes come from config.json, which must fit", async () => {
    const model = echo(["N", 1, 1, 2]);
    const classifier = await openOnnxClassifier({ model, config: { id2label: { 1: "dog", 0: "cat" } } }, runtime, NONE);
    expect(classifier.labels).toEqual(["cat", "dog"]);
    await classifier.dispose();
    const open = (config: unknown) => openOnnxClassifier({ model, config }, runtime, NONE);
    await expect(open({ num_labels: 3 })).rejects.toThrow("expected 3 scores per image, got 2");
    await expect(open({ id2label: { 0: "cat", 2: "dog" } })).rejects.toThrow("ids 0 to 1, got none for 1");
    await expect(open({ id2label: { 0: "cat" }, num_labels: 2 })).rejects.toThrow(FormatError);
    await expect(open("cats")).rejects.toThrow(FormatError);
  });
});

describe("what is no classifier", () => {
  const open = (build: (graph: GraphBuilder) => void, flags = {}) => {
    const graph = new GraphBuilder();
    build(graph);
    return openOnnxClassifier({ model: graphToBytes(graph.build("other")) }, runtime, { ...NONE, ...flags });
  };

  test.each<[string, (graph: GraphBuilder) => void, string]>([
    [
      "two inputs",
      (g) => {
        const sum = g.op("Add", [g.input("a", "float32", ["N", 1, 2, 2]), g.input("b", "float32", ["N", 1, 2, 2])]);
        g.output("y", sum, "float32");
      },
      'one image input and an output, got inputs "a", "b"',
    ],
    [
      "no image input",
      (g) => g.output("y", g.op("Relu", [g.input("a", "float32", ["N", 7])]), "float32"),
      '"a" with dims [N, 7]',
    ],
    [
      "integer input",
      (g) => g.output("y", g.op("Neg", [g.input("a", "int64", ["N", 1, 2, 2])]), "int64"),
      "of type int64",
    ],
    [
      "images as output",
      (g) => g.output("y", g.op("Relu", [g.input("a", "float32", ["N", 1, 2, 2])]), "float32"),
      "expected scores [N, K], got dims [2, 1, 2, 2]",
    ],
    [
      "one score",
      (g) => {
        const rows = g.op("Flatten", [g.input("a", "float32", ["N", 1, 2, 2])], { axis: int(1) });
        g.output("y", g.op("ReduceMean", [rows, g.ints(1)], { keepdims: int(1) }), "float32");
      },
      "2 or more classes, got dims [2, 1]",
    ],
    [
      "one row for all images",
      (g) => {
        const rows = g.op("Flatten", [g.input("a", "float32", ["N", 1, 2, 2])], { axis: int(1) });
        g.output("y", g.op("ReduceMean", [rows, g.ints(0)], { keepdims: int(1) }), "float32");
      },
      "scores of 2 images, got 1",
    ],
  ])("%s", async (_, build, sentence) => {
    const opening = open(build);
    await expect(opening).rejects.toThrow(FormatError);
    await expect(opening).rejects.toThrow(sentence);
  });

  test("a batch beyond reason is refused before memory is taken for it", async () => {
    const opening = openOnnxClassifier({ model: echo([1_000_000, 1, 28, 28]) }, runtime, NONE);
    await expect(opening).rejects.toThrow("a batch of at most 4096 images, got 1000000");
  });

  test("NaN weights are found when it is opened", async () => {
    const opening = open((g) => {
      const rows = g.op("Flatten", [g.input("a", "float32", ["N", 1, 2, 2])], { axis: int(1) });
      g.output("y", g.op("Mul", [rows, g.weight("w", float32([4], [1, Number.NaN, 1, 1]))]), "float32");
    });
    await expect(opening).rejects.toThrow(RuntimeFailure);
  });

  test("flags choose among outputs; unknown names are refused", async () => {
    const two = (g: GraphBuilder): void => {
      const rows = g.op("Flatten", [g.input("a", "float32", ["N", 1, 2, 2])], { axis: int(1) });
      g.output("features", g.op("Neg", [rows]), "float32", ["N", 4]);
      g.output("logits", rows, "float32", ["N", 4]);
    };
    const image = float32([1, 1, 2, 2], [1, 0.5, 0.25, 0]);
    const [byName, byFlag] = [await open(two), await open(two, { output: "features" })];
    expect([...(await byName.classify(image)).scores.data]).toEqual([1, 0.5, 0.25, 0]);
    expect([...(await byFlag.classify(image)).scores.data]).toBeAllclose([-1, -0.5, -0.25, 0], { atol: 0 });
    await expect(open(two, { output: "logit" })).rejects.toThrow('Did you mean "logits"?');
    await expect(open(two, { input: "b" })).rejects.toThrow(OptionError);
    await Promise.all([byName.dispose(), byFlag.dispose()]);
  });
});

test("an aborted signal stops; disposing twice is harmless", async () => {
  const classifier = await openOnnxClassifier({ model: echo([1, 1, 2, 2]) }, runtime, NONE);
  await expect(classifier.classify(pictures(3, 1, 2, 2), AbortSignal.abort())).rejects.toMatchObject({
    name: "AbortError",
  });
  await classifier.dispose();
  await classifier.dispose();
});

describe("models/fashion-mnist-badnets", () => {
  const folder = new URL("../../models/fashion-mnist-badnets/", import.meta.url);
  const json = (name: string): unknown => JSON.parse(readFileSync(new URL(name, folder), "utf8"));

  test("52 of the 64 images are right, whatever the batch", async () => {
    const labels = json("images/labels.json") as Record<string, number>;
    const names = Object.keys(labels).sort();
    const pixels = new Uint8Array(64 * 784);
    for (const [i, name] of names.entries()) {
      pixels.set(
        await sharp(new URL(`images/${name}`, folder).pathname)
          .toColourspace("b-w")
          .raw()
          .toBuffer(),
        i * 784,
      );
    }
    const images = unitFromBytes([64, 1, 28, 28], pixels);
    const model = readFileSync(new URL("model.onnx", folder));
    const files = { model, config: json("config.json"), preprocessor: json("preprocessor_config.json") };
    const classifier = await openOnnxClassifier(files, runtime);
    const { scores, kind } = await classifier.classify(images);
    const alone = await classifier.classify(rowsOf(images, 5, 6));
    expect(names).toHaveLength(64);
    expect([...winners(scores)].filter((label, i) => label === labels[names[i]!]).length).toBe(52);
    expect(kind).toBe("logits");
    expect(alone.scores.data).toBeAllclose(rowsOf(scores, 5, 6).data, { atol: 1e-4 });
    expect(classifier).toMatchObject({
      calls: 65,
      hash: sha256Hex(model),
      input: { channels: 1, height: 28, width: 28 },
    });
    expect(classifier.labels?.[9]).toBe("Ankle boot");
    await classifier.dispose();
  });
});
