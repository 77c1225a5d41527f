/** @file Keras networks as classifiers with gradients: whatever their layout and ends, images are [N, C, H, W] in [0, 1]. */
import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { openDifferentiableClassifier } from "../../src/classifiers/differentiable.ts";
import { createNodeRuntime } from "../../src/runtime/node.ts";
import { rowsOf } from "../../src/tensor/rows.ts";
import type { Float32Tensor } from "../../src/tensor/tensor.ts";
import { readGolden, readGoldenBytes } from "../support/golden.ts";

const runtime = await createNodeRuntime({ threads: 1 });
const cases = readdirSync(new URL("exports/", import.meta.url))
  .filter((name) => /^keras-.*\.onnx$/.test(name))
  .map((name) => name.slice(0, -5));

test("all exporters are there", () => {
  const exporters = new Set(cases.map((name) => name.split(/[.\d]+/)[1]));
  expect([...exporters].sort()).toEqual(["keras", "kerastorch", "tf"]);
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
