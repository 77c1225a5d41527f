/** @file Trainings step by step beside PyTorch's, from the same weights and on the same batches. */
import { beforeAll, describe, expect, test } from "vitest";
import { signatureOf } from "../../src/classifiers/image-graph.ts";
import { readPreprocessing, UNIT_RANGE } from "../../src/classifiers/preprocessing.ts";
import { GraphBuilder } from "../../src/graph/builder.ts";
import type { Graph } from "../../src/graph/ir.ts";
import { buildClassifier } from "../../src/nn/architectures/build-classifier.ts";
import { activate } from "../../src/nn/layers/activation.ts";
import { batchNorm } from "../../src/nn/layers/batch-norm.ts";
import { conv2d } from "../../src/nn/layers/conv.ts";
import { classScores } from "../../src/nn/layers/head.ts";
import { globalAveragePool } from "../../src/nn/layers/pool.ts";
import type { FeatureMap } from "../../src/nn/net.ts";
import { createNodeRuntime } from "../../src/runtime/node.ts";
import { float32, toNumbers } from "../../src/tensor/tensor.ts";
import { oneHot } from "../../src/training/batches/labelled.ts";
import type { StepReport, TrainingPlan } from "../../src/training/loop.ts";
import { adam, sgd } from "../../src/training/optimisers.ts";
import { cosineRate, oneCycleRate } from "../../src/training/schedules.ts";
import type { TrainingState } from "../../src/training/state.ts";
import { trainClassifier } from "../../src/training/train-classifier.ts";
import { readGolden } from "../support/golden.ts";
import { hashedWeights } from "../support/hashed-weights.ts";

const golden = readGolden("training/loss-curve.safetensors");
const [steps = 0, batch = 0] = golden.dims("order");
const order = toNumbers(golden.tensor("order"));
const labels = toNumbers(golden.tensor("labels"));
const pixels = golden.float32("images").map((value) => value / 255);
const size = 28 * 28;

const sgdPlan: TrainingPlan = {
  steps,
  rate: 0.05,
  optimiser: sgd({ momentum: 0.9, nesterov: true, weightDecay: 5e-4 }),
  schedule: oneCycleRate(),
};
const adamPlan: TrainingPlan = {
  steps,
  rate: 5e-3,
  optimiser: adam(),
  schedule: cosineRate(),
  clip: 0.5,
  averaging: 0.9,
};

function smallCnn(): Graph {
  const dims = { channels: 1, height: 28, width: 28 };
  return buildClassifier({
    architecture: "small-cnn",
    options: { width: 8 },
    classes: 10,
    dims,
    weights: hashedWeights(),
  });
}

/** The same with SiLU in place of ReLU. */
function smoothCnn(): Graph {
  const b = new GraphBuilder();
  const net = { b, weights: hashedWeights() };
  let map: FeatureMap = {
    value: b.input("pixel_values", "float32", ["N", 1, 28, 28]),
    channels: 1,
    height: 28,
    width: 28,
  };
  for (const [i, [channels, stride]] of [[8, 1] as const, [8, 2] as const, [16, 1] as const, [16, 2] as const, [32, 1] as const].entries()) {
    const conv = conv2d(net, `f.${i}.0`, map, { channels, stride, bias: false });
    map = activate(net, "silu", batchNorm(net, `f.${i}.1`, conv));
  }
  b.output("logits", classScores(net, "fc", globalAveragePool(net, map), 10), "float32", ["N", 10]);
  return b.build("smooth");
}

interface Run {
  readonly graph: Graph;
  readonly reports: readonly StepReport[];
  readonly state: TrainingState;
}

async function train(graph: Graph, plan: TrainingPlan): Promise<Run> {
  const preprocessing = readPreprocessing({ image_mean: [0.286], image_std: [0.353] }, {}) ?? UNIT_RANGE;
  const reports: StepReport[] = [];
  const { graph: trained, state } = await trainClassifier({
    runtime: await createNodeRuntime({ threads: 1 }),
    net: { graph, signature: signatureOf(graph), preprocessing, kind: "logits", dims: [1, 28, 28] },
    batch,
    plan,
    batches: async (step) => {
      const rows = order.slice(step * batch, (step + 1) * batch);
      const images = new Float32Array(batch * size);
      rows.forEach((row, i) => {
        images.set(pixels.subarray(row * size, (row + 1) * size), i * size);
      });
      return {
        images: float32([batch, 1, 28, 28], images),
        targets: oneHot(
          rows.map((row) => labels[row]!),
          10,
        ),
        weights: float32([batch], new Float32Array(batch).fill(1)),
      };
    },
    onStep: (report) => {
      reports.push(report);
    },
  });
  return { graph: trained, reports, state };
}

const lossesOf = ({ reports }: Run): number[] => reports.map(({ loss }) => loss);

/** Trained tensors by PyTorch's names, running statistics too. */
function expectTensors({ graph }: Run, prefix: string, tolerance: { atol: number; rtol?: number }): void {
  const names = [...golden.tensors.keys()].filter((name) => name.startsWith(prefix));
  expect(names.length).toBeGreaterThan(10);
  for (const name of names) {
    const ours = graph.initializers.get(name.slice(prefix.length))!;
    expect(ours.data as Float32Array, name).toBeAllclose(golden.float32(name), tolerance);
  }
}

describe("a smooth network with SGD, Nesterov and one cycle", () => {
  let run: Run;
  beforeAll(async () => {
    run = await train(smoothCnn(), sgdPlan);
  });

  test("has PyTorch's losses", () => {
    expect(lossesOf(run)).toBeAllclose(golden.float32("sgd.loss"), { atol: 2e-6 });
  });

  test("ends with PyTorch's weights and running statistics", () => {
    expectTensors(run, "sgd.last.", { atol: 5e-6, rtol: 5e-6 });
  });
});

describe("a smooth network with Adam, a cosine, clipping and averaging", () => {
  let run: Run;
  beforeAll(async () => {
    run = await train(smoothCnn(), adamPlan);
  });

  test("has PyTorch's losses", () => {
    expect(lossesOf(run)).toBeAllclose(golden.float32("adam.loss"), { atol: 2e-6 });
  });

  test("has its norms of gradients, some of which are clipped", () => {
    const norms = run.reports.map(({ gradientNorm }) => gradientNorm);
    expect(norms).toBeAllclose(golden.float32("adam.norm"), { rtol: 1e-4 });
    expect(Math.max(...norms)).toBeGreaterThan(0.5);
  });

  test("ends with its averaged weights", () => {
    expectTensors(run, "adam.average.", { atol: 5e-6, rtol: 5e-6 });
  });
});

test("small-cnn itself stays as close to PyTorch as PyTorch's float32 to its float64", async () => {
  const run = await train(smallCnn(), sgdPlan);
  const exact = golden.float32("relu.loss");
  const off = (losses: ArrayLike<number>): number =>
    Math.max(...Array.from(exact, (loss, i) => Math.abs(losses[i]! - loss)));
  expect(lossesOf(run).slice(0, 10)).toBeAllclose(exact.subarray(0, 10), { atol: 1e-4 });
  expect(off(lossesOf(run))).toBeLessThan(4 * off(golden.float32("relu.f32.loss")));
});
