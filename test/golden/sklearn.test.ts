/** @file Models of scikit-learn: refused in one sentence, or black boxes without gradient. */
import { readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { openDifferentiableClassifier } from "../../src/classifiers/differentiable.ts";
import { gradient } from "../../src/classifiers/gradient.ts";
import { openOnnxClassifier } from "../../src/classifiers/onnx.ts";
import { FormatError, UnsupportedOpError } from "../../src/core/errors.ts";
import { createNodeRuntime } from "../../src/runtime/node.ts";
import { type Float32Tensor, float32 } from "../../src/tensor/tensor.ts";
import { readGolden, readGoldenBytes } from "../support/golden.ts";

const runtime = await createNodeRuntime({ threads: 1 });
const flags = { mean: 0, std: 1, threads: 1 };
const bytesOf = (name: string): Uint8Array => readGoldenBytes(`sklearn/${name}.onnx`);
const sumOf = (output: string) => ({
  runtime,
  batch: 2,
  threads: 1,
  wrt: ["X"],
  loss: (b: Parameters<Parameters<typeof gradient>[1]["loss"]>[0]) =>
    b.op("ReduceSum", [b.op("Mul", [output, b.input("cotangent", "float32", [2, 10])])]),
});

const estimators = {
  forest: 'ai.onnx.ml.TreeEnsembleClassifier "TreeEnsembleClassifier"',
  logistic: 'ai.onnx.ml.LinearClassifier "LinearClassifier"',
  svc: 'ai.onnx.ml.SVMClassifier "SVMc"',
};

test("every fixture is spoken of here", () => {
  const files = readdirSync(new URL("sklearn/", import.meta.url)).filter((name) => name.endsWith(".onnx"));
  const others = ["forest-images", "forest-images-zipmap", "mlp", "mlp-tensors"];
  expect(files).toEqual([...Object.keys(estimators), ...others].map((name) => `${name}.onnx`).sort());
});

describe.each(Object.entries(estimators))("%s", (name, operator) => {
  test("as a black box: says what it is and what to do", async () => {
    const opening = openOnnxClassifier({ model: bytesOf(name) }, runtime, flags);
    await expect(opening).rejects.toThrow(
      new UnsupportedOpError(
        `classifier: expected a network that takes images [N, C, H, W], got ${operator} behind "X" [?, 64]; because it is a model of tables (scikit-learn). Do convert it without ZipMap, behind a Reshape from images to rows: it is then a black box.`,
      ),
    );
  });

  test("for gradients: both doors name the operator", async () => {
    const refusal = new UnsupportedOpError(
      `model: expected a network, got ${operator}, through which no gradient passes; because it is a model of tables (scikit-learn). Do train a network on the same images, or use this model as a black box.`,
    );
    await expect(openDifferentiableClassifier({ model: bytesOf(name) }, runtime, flags)).rejects.toThrow(refusal);
    await expect(gradient(bytesOf(name), sumOf("probabilities"))).rejects.toThrow(refusal);
  });
});

describe("a forest behind a Reshape from images", () => {
  const golden = readGolden("sklearn/forest-images.safetensors");

  test("is a black box with the probabilities of scikit-learn", async () => {
    const classifier = await openOnnxClassifier({ model: bytesOf("forest-images") }, runtime, flags);
    expect(classifier.input).toEqual({ channels: 1, height: 8, width: 8 });
    const { scores, kind } = await classifier.classify(golden.tensor("images") as Float32Tensor);
    expect(kind).toBe("probabilities");
    expect(scores.data).toBeAllclose(golden.float32("probabilities"), { atol: 1e-6 });
    await classifier.dispose();
  });

  test("has no gradient", async () => {
    const opening = openDifferentiableClassifier({ model: bytesOf("forest-images") }, runtime, flags);
    await expect(opening).rejects.toThrow(`got ${estimators.forest}, through which no gradient passes`);
  });

  test("with ZipMap is refused before it runs", async () => {
    const opening = openOnnxClassifier({ model: bytesOf("forest-images-zipmap") }, runtime, flags);
    await expect(opening).rejects.toThrow(
      new UnsupportedOpError(
        'classifier: expected outputs that are tensors, got "output_probability", a list of maps from ai.onnx.ml.ZipMap "ZipMap". Do convert the model without ZipMap (options={"zipmap": False}).',
      ),
    );
  });
});

describe("a multi-layer perceptron is a network", () => {
  test("with ZipMap it is told to go without", async () => {
    await expect(openOnnxClassifier({ model: bytesOf("mlp") }, runtime, flags)).rejects.toThrow(
      /from ai\.onnx\.ml\.ZipMap "ZipMap"\. Do convert/,
    );
    await expect(gradient(bytesOf("mlp"), sumOf("probabilities"))).rejects.toThrow(
      new UnsupportedOpError(
        'value "output_probability": expected a tensor, got sequenceType from ai.onnx.ml.ZipMap "ZipMap". Do convert the model without it (options={"zipmap": False}).',
      ),
    );
  });

  test("without, it has the gradient that central differences show", async () => {
    const session = await gradient(bytesOf("mlp-tensors"), sumOf("probabilities"));
    const cotangent = float32([2, 10], [3, 0, 0, 0, 1, 0, 0, 0, 0, -2, 0, 1, 0, 0, 0, 0, 0, 2, 0, 0]);
    const x = float32([2, 64]);
    for (let i = 0; i < 128; i++) x.data[i] = 0.5 + 0.5 * Math.sin(i);
    const lossAt = async (data: Float32Array): Promise<number> =>
      Number((await session.run({ X: float32([2, 64], data), cotangent }))["loss"]!.data[0]);
    const slopes = (await session.run({ X: x, cotangent }))["grad.X"]!.data as Float32Array;
    for (const pixel of [1, 20, 63, 100]) {
      const moved = (by: number): Float32Array => x.data.map((value, i) => (i === pixel ? value + by : value));
      const difference = ((await lossAt(moved(0.02))) - (await lossAt(moved(-0.02)))) / 0.04;
      expect(slopes[pixel]).toBeCloseTo(difference, 3);
    }
    expect(Math.hypot(...slopes)).toBeGreaterThan(0.1);
    await session.dispose();
  });

  test("flat pixels are told to be reshaped", async () => {
    const opening = openOnnxClassifier({ model: bytesOf("mlp-tensors") }, runtime, flags);
    await expect(opening).rejects.toThrow(
      new FormatError(
        'classifier: expected an image input of 4 axes, got "X" with dims [?, 64]. Do put a Reshape from images [N, C, H, W] in front of it.',
      ),
    );
  });
});
