/** @file Adversarial neuron pruning against BackdoorBench: disturbances, gradients, masks and statistics of three iterations. */
import { expect, test } from "vitest";
import { IMAGES } from "../../src/classifiers/image-graph.ts";
import { signatureOf } from "../../src/classifiers/image-graph.ts";
import { UNIT_RANGE } from "../../src/classifiers/preprocessing.ts";
import { GraphBuilder, float, ints } from "../../src/graph/builder.ts";
import type { Graph } from "../../src/graph/ir.ts";
import { findLayers } from "../../src/repair/layers/find-layers.ts";
import { prunableLayers } from "../../src/repair/layers/prunable.ts";
import { freshMasks, improveMasks, type MaskSearch } from "../../src/repair/masks/learn-masks.ts";
import { type MaskStep, openMaskStep } from "../../src/repair/masks/open-mask-step.ts";
import { createNodeRuntime } from "../../src/runtime/node.ts";
import { float32 } from "../../src/tensor/tensor.ts";
import { oneHot } from "../../src/training/batches/labelled.ts";
import { inferenceForm } from "../../src/training/inference-form.ts";
import { ROW_WEIGHTS, TARGETS } from "../../src/training/losses.ts";
import { type GoldenFile, readGolden } from "../support/golden.ts";

const golden = readGolden("defences/anp.safetensors");
const cases = JSON.parse(golden.metadata.get("cases")!) as Record<string, Record<string, number>>;
const within = { atol: 2e-5, rtol: 2e-5 };
/** Numbers of the two normalisations in the names of tensors. */
const norms = ["1", "4"] as const;

/** conv s2 - BN - relu - conv s2 - BN - relu - global mean - linear */
function network(file: GoldenFile): Graph {
  const b = new GraphBuilder();
  const weight = (name: string): string => b.weight(name, float32(file.dims(`net.${name}`), file.float32(`net.${name}`)));
  let x = b.input("x", "float32", ["N", 1, 28, 28]);
  for (const [conv, norm] of [["0", "1"], ["3", "4"]] as const) {
    x = b.op("Conv", [x, weight(`${conv}_weight`)], { strides: ints(2, 2), pads: ints(1, 1, 1, 1) });
    const parts = ["weight", "bias", "running_mean", "running_var"].map((part) => weight(`${norm}_${part}`));
    x = b.op("Relu", [b.op("BatchNormalization", [x, ...parts], { epsilon: float(1e-5), momentum: float(0.9) })]);
  }
  const flat = b.op("Flatten", [b.op("GlobalAveragePool", [x])]);
  const head = [weight("8_weight"), weight("8_bias")];
  b.output("logits", b.op("Gemm", [flat, ...head], { transB: { kind: "int", value: 1 } }), "float32", ["N", 10]);
  return b.build("net");
}

/** Puts the tensors of both layers into the flat array of a step. */
function flat(step: MaskStep, name: (norm: string, part: "scale" | "shift") => string): Float32Array {
  const values = new Float32Array(step.weights.size);
  for (const [i, { scale, shift }] of step.places.entries()) {
    values.set(golden.float32(name(norms[i]!, "scale")), scale.from);
    values.set(golden.float32(name(norms[i]!, "shift")), shift!.from);
  }
  return values;
}

test("three iterations: ascent, gradient, masks and running statistics", async () => {
  const runtime = await createNodeRuntime({ threads: 1 });
  const graph = inferenceForm(network(golden));
  const net = { graph, signature: signatureOf(graph), preprocessing: UNIT_RANGE, kind: "logits", dims: [1, 28, 28] } as const;
  const layers = prunableLayers(findLayers(graph, "logits"), "auto", "anp");
  expect(layers.map(({ kind, scale }) => [kind, scale.value])).toEqual(norms.map((norm) => ["norm", `${norm}_weight`]));
  const step = await openMaskStep(net, graph, { layers, batch: 16, runtime, threads: 1 });
  const { eps, steps, alpha, lr, momentum } = cases["net"]!;
  const search: MaskSearch = {
    reach: eps!,
    steps: steps!,
    project: false,
    share: alpha!,
    rate: lr!,
    momentum: momentum!,
  };
  const feeds = {
    [IMAGES]: float32(golden.dims("net.x"), golden.float32("net.x")),
    [TARGETS]: oneHot([...golden.float64("net.y")], 10),
    [ROW_WEIGHTS]: float32([16], new Float32Array(16).fill(1)),
  };
  const state = freshMasks(step);
  for (const iteration of [0, 1, 2]) {
    const name = `iteration${iteration}`;
    const noiseOf = (stem: string) => (norm: string, part: "scale" | "shift") =>
      `${name}.${stem}${norm}_neuron_noise${part === "scale" ? "" : "_bias"}`;
    const found = await improveMasks(step, state, { search, feeds, start: flat(step, noiseOf("initial_")) });
    expect(found.noise).toBeAllclose(flat(step, noiseOf("")), within);
    expect([found.loss]).toBeAllclose([cases[name]!["loss"]!], within);
    for (const [i, norm] of norms.entries()) {
      const { scale, shift } = step.places[i]!;
      const of = (values: Float32Array) => values.slice(scale.from, scale.to);
      expect(of(found.gradient)).toBeAllclose(golden.float32(`${name}.grad_${norm}_neuron_mask`), within);
      expect(of(state.masks)).toBeAllclose(golden.float32(`${name}.${norm}_neuron_mask`), within);
      expect([...state.masks.slice(shift!.from, shift!.to)].every((one) => one === 1)).toBe(true);
      for (const [part, stored] of [["running_mean", "running_mean"], ["running_var", "running_var"]] as const) {
        const slot = step.statistics.slots.find((each) => each.name === `${norm}_${stored}`)!;
        const own = state.statistics.slice(slot.from, slot.to);
        expect(own).toBeAllclose(golden.float32(`${name}.${norm}_${part}`), within);
      }
    }
  }
  await step.dispose();
});
