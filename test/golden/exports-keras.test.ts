/** @file Keras networks as classifiers with gradients: whatever their layout and ends, images are [N, C, H, W] in [0, 1]. */
import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { openDifferentiableClassifier } from "../../src/classifiers/differentiable.ts";
import { readGraph } from "../../src/classifiers/gradient.ts";
import { int } from "../../src/graph/builder.ts";
import { createNodeRuntime } from "../../src/runtime/node.ts";
import { rowsOf } from "../../src/tensor/rows.ts";
import type { Float32Tensor } from "../../src/tensor/tensor.ts";
import { openStep } from "../../src/training/step.ts";
import { trainableOf } from "../../src/training/trainable.ts";
import { readGolden, readGoldenBytes } from "../support/golden.ts";

const runtime = await createNodeRuntime({ threads: 1 });
const cases = readdirSync(new URL("exports/", import.meta.url))
  .filter((name) => /^keras-.*\.onnx$/.test(name))
  .map((name) => name.slice(0, -5));

test("all exporters are there", () => {
  const exporters = new Set(cases.map((name) => name.split(".")[1]!.replace(/\d+$/, "")));
  expect([...exporters].sort()).toEqual(["keras", "kerastorch", "tf2onnx"]);
});

test.each(cases)("%s has the cross-entropy and the gradient of float64", async (name) => {
  const golden = readGolden(`exports/${name}.safetensors`);
  const images = golden.tensor("images") as Float32Tensor;
  const labels = [...golden.float32("labels")];
  const files = {
    model: readGoldenBytes(`exports/${name}.onnx`),
    preprocessor: { do_rescale: golden.float32("white")[0] === 1, do_normalize: false },
  };
  const classifier = await openDifferentiableClassifier(files, runtime, { threads: 1 });
  const found = await classifier.lossGradient(images, labels);
  const alone = await classifier.lossGradient(rowsOf(images, 1, 2), labels.slice(1));
  await classifier.dispose();

  expect(classifier.input?.channels).toBe(images.dims[1]);
  expect(found.losses.data).toBeAllclose(golden.float32("losses"), { atol: 1e-5 });
  expect(found.gradient.dims).toEqual(images.dims);
  const expected = golden.float32("losses.slope");
  const largest = Math.max(...expected.map(Math.abs));
  const errors = expected.map((value, i) => Math.abs(found.gradient.data[i]! - value) / largest).sort();
  expect(errors.filter((error) => !(error < 1e-3)).length / errors.length).toBeLessThanOrEqual(0.01);
  expect(errors[Math.floor(errors.length / 2)]).toBeLessThanOrEqual(1e-5);
  expect(alone.gradient.data).toBeAllclose(rowsOf(found.gradient, 1, 2).data, { atol: 1e-5 * largest });
});

test.each(["keras-classic.tf2onnx11", "keras-cnn.keras15", "keras-mobilenet.kerastorch18", "keras-resnet.keras15"])(
  "%s learns: a step against the gradient of its weights lowers the loss by what the gradient says",
  async (name) => {
    const golden = readGolden(`exports/${name}.safetensors`);
    const net = trainableOf(readGraph(readGoldenBytes(`exports/${name}.onnx`), undefined));
    const step = await openStep(net, {
      runtime,
      batch: 2,
      threads: 1,
      dims: () => ({ x: golden.dims("x") }),
      loss: (b, outputs) => {
        const scores = Object.values(outputs)[0]!;
        const costs = b.op("Mul", [scores.name, b.input("cotangent", "float32", scores.dims)]);
        return b.op("ReduceSum", [costs], { keepdims: int(0) });
      },
    });
    const feeds = { x: golden.tensor("x"), cotangent: golden.tensor("cotangent") };
    const { weights, statistics } = step.initial();
    const gradient = new Float32Array(weights.length);
    const into = { gradient, statistics: new Float32Array(statistics.length) };
    const before = await step.run({ weights, statistics }, feeds, into);
    const length = Math.hypot(...gradient);
    const moved = weights.map((weight, i) => weight - (2e-3 * gradient[i]!) / length);
    const rest = { gradient: new Float32Array(weights.length), statistics: into.statistics.slice() };
    const after = await step.run({ weights: moved, statistics }, feeds, rest);
    await step.dispose();

    const cotangent = golden.float32("cotangent");
    const expected = golden.float32("y").reduce((sum, y, i) => sum + y * cotangent[i]!, 0);
    // With statistics of the batch, the network answers otherwise than in inference.
    if (net.statistics.size === 0) expect(before.loss).toBeCloseTo(expected, 4);
    expect(length).toBeGreaterThan(1);
    expect((before.loss - after.loss) / (2e-3 * length)).toBeCloseTo(1, 1);
  },
);
