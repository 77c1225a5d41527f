import { expect, test } from "vitest";
import { openDifferentiableClassifier } from "../classifiers/differentiable.ts";
import { signatureOf } from "../classifiers/image-graph.ts";
import { readPreprocessing, UNIT_RANGE } from "../classifiers/preprocessing.ts";
import { uniforms } from "../core/noise.ts";
import { graphToBytes } from "../graph/to-model.ts";
import { buildClassifier } from "../nn/architectures/build-classifier.ts";
import { freshWeights } from "../nn/fresh-weights.ts";
import { createNodeRuntime } from "../runtime/node.ts";
import { rowsOf } from "../tensor/rows.ts";
import { float32 } from "../tensor/tensor.ts";
import { oneHot } from "./batches/labelled.ts";
import { sgd } from "./optimisers.ts";
import { openPixelGradient } from "./pixel-gradient.ts";
import { constantRate } from "./schedules.ts";
import { trainClassifier } from "./train-classifier.ts";

test("is the gradient that the trained classifier has, under the weights of the moment", async () => {
  const runtime = await createNodeRuntime({ threads: 1 });
  const dims = { channels: 1, height: 8, width: 9 };
  const options = { width: 3 };
  const graph = buildClassifier({ architecture: "small-cnn", options, classes: 4, dims, weights: freshWeights(1) });
  const preprocessor = { image_mean: [0.3], image_std: [0.2] };
  const preprocessing = readPreprocessing(preprocessor, {}) ?? UNIT_RANGE;
  const net = { graph, signature: signatureOf(graph), preprocessing, kind: "logits" as const, dims: [1, 8, 9] };
  const images = float32([6, 1, 8, 9], Float32Array.from(uniforms(1, "images", 0, 432)));
  const targets = oneHot([0, 1, 2, 3, 0, 1], 4);
  const batch = { images, targets, weights: float32([6], new Float32Array(6).fill(1)) };
  const trained = await trainClassifier({
    runtime,
    net,
    batch: 6,
    batches: async () => batch,
    plan: { steps: 5, optimiser: sgd({ momentum: 0.9 }), rate: 0.1, schedule: constantRate },
  });
  const pixels = openPixelGradient(net, { runtime });
  const own = await pixels.gradient(trained.state, images, targets);
  const model = graphToBytes(trained.graph);
  const classifier = await openDifferentiableClassifier({ model, preprocessor }, runtime);
  const { gradient } = await classifier.lossGradient(images, targets);
  expect(own.dims).toEqual([6, 1, 8, 9]);
  expect(own.data).toBeAllclose(gradient.data, { atol: 1e-6, rtol: 1e-4 });
  const [first] = [rowsOf(images, 0, 1)];
  const alone = await pixels.gradient(trained.state, first!, rowsOf(targets, 0, 1));
  expect(alone.data).toBeAllclose(gradient.data.subarray(0, 72), { atol: 1e-6, rtol: 1e-4 });
  const other = { weights: trained.state.weights.map((w) => w * 0.9), statistics: trained.state.statistics };
  expect((await pixels.gradient(other, images, targets)).data).not.toEqual(own.data);
  await pixels.dispose();
  await classifier.dispose();
});
