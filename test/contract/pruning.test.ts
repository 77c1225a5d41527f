/** @file What switching channels off must keep and must change, on networks of our own and of exporters. */
import { describe, expect, it, test } from "vitest";
import { graphFromModel } from "../../src/graph/from-model.ts";
import type { Graph } from "../../src/graph/ir.ts";
import { asInputs } from "../../src/graph/rewrite/compose.ts";
import { graphToBytes } from "../../src/graph/to-model.ts";
import { buildClassifier } from "../../src/nn/architectures/build-classifier.ts";
import { decodeModel } from "../../src/onnx/codec.ts";
import { outputStatistics } from "../../src/repair/layers/channel-statistics.ts";
import { findLayers, type Layer } from "../../src/repair/layers/find-layers.ts";
import { insertNorms } from "../../src/repair/layers/insert-norms.ts";
import { foldMultipliers, withMultipliers } from "../../src/repair/layers/multipliers.ts";
import { prunableLayers } from "../../src/repair/layers/prunable.ts";
import { silence } from "../../src/repair/layers/silence.ts";
import { createNodeRuntime } from "../../src/runtime/node.ts";
import { float32, type Tensor } from "../../src/tensor/tensor.ts";
import { inferenceForm } from "../../src/training/inference-form.ts";
import { readGoldenBytes } from "../support/golden.ts";
import { hashedWeights } from "../support/hashed-weights.ts";
import { netOf } from "../support/repair-context.ts";
import { runModel } from "../support/run-model.ts";

const runtime = createNodeRuntime({ threads: 1 });
const dims = [3, 32, 32];

function built(architecture: string, options: Readonly<Record<string, unknown>>): Graph {
  const image = { channels: 3, height: 32, width: 32 };
  return buildClassifier({ architecture, options, classes: 5, dims: image, weights: hashedWeights() });
}
const exported = (name: string): Graph => graphFromModel(decodeModel(readGoldenBytes(`exports/${name}.onnx`)));

/** Networks, the kind of their prunable layers, and how many these are. */
const networks: readonly (readonly [name: string, graph: () => Graph, kind: Layer["kind"], layers: number])[] = [
  ["resnet-18", () => built("resnet-18", { width: 4 }), "norm", 20],
  ["mobilenet-v2", () => built("mobilenet-v2", { width: 0.1 }), "norm", 52],
  ["vit-small", () => built("vit-small", { width: 12, heads: 2, depth: 2, patch: 8 }), "weights", 9],
  ["mobilenet-v2.dynamo18", () => exported("mobilenet-v2.dynamo18"), "weights", 13],
  ["vit.dynamo23", () => exported("vit.dynamo23"), "weights", 9],
  ["densenet.ts9", () => exported("densenet.ts9"), "norm", 6],
  ["convnext.ts17", () => exported("convnext.ts17"), "weights", 8],
];

describe.each(networks)("%s", (_, make, kind, count) => {
  const graph = inferenceForm(make());
  const output = graph.outputs[0]!.name;
  const layers = prunableLayers(findLayers(graph, output), "auto", "test");
  const batch = graph.inputs[0]!.dims?.[0];
  const rows = typeof batch === "number" ? batch : 4;
  const x = float32(
    [rows, ...dims],
    Array.from({ length: rows * 3072 }, (_each, i) => ((i * 7919) % 256) / 255),
  );
  const images = {
    images: {
      dtype: "uint8" as const,
      dims: x.dims,
      data: Uint8Array.from(x.data, (value) => Math.round(255 * value)),
    },
    labels: Array.from({ length: rows }, () => 0),
  };
  const answer = async (asked: Graph, more: Readonly<Record<string, Tensor>> = {}): Promise<Float32Array> => {
    const results = await runModel(graphToBytes(asked), { [graph.inputs[0]!.name]: x, ...more });
    return results[output]!.data as Float32Array;
  };
  /** Every third channel of every second layer is off. */
  const keptOf = ({ scale: { channels } }: Layer, i: number): Float32Array =>
    Float32Array.from({ length: channels }, (_each, channel) => (i % 2 === 0 && channel % 3 === 0 ? 0 : 1));
  const kept = layers.map(keptOf);

  it("has layers of the kind that is expected, none of which writes the scores", () => {
    expect([...new Set(layers.map((layer) => layer.kind))]).toEqual([kind]);
    expect(layers.length).toBe(count);
    expect(findLayers(graph, output).filter(({ writesScores }) => writesScores).length).toBe(1);
  });

  it("multipliers of one change nothing; as inputs they are what is worked into the weights", async () => {
    const plain = await answer(graph);
    const scales = layers.map(({ scale }) => scale);
    const { graph: multiplied, names } = withMultipliers(graph, scales);
    expect(await answer(multiplied)).toBeAllclose(plain, { atol: 1e-6 });
    const feeds = names.map((name, i) => [name, float32(multiplied.initializers.get(name)!.dims, kept[i]!)] as const);
    const weakened = await answer(asInputs(multiplied, names), Object.fromEntries(feeds));
    expect(weakened).not.toEqual(plain);
    const folded = foldMultipliers(graph, scales, kept);
    expect(await answer(folded)).toBeAllclose(weakened, { atol: 1e-5 });
    expect(folded.nodes.map(({ op }) => op)).toEqual(graph.nodes.map(({ op }) => op));
    const ones = kept.map((layer) => new Float32Array(layer.length).fill(1));
    expect(await answer(foldMultipliers(graph, scales, ones))).toEqual(plain);
  });

  it("inserted normalisations change nothing; without a scale they are what silenced layers are", async () => {
    const weights = prunableLayers(findLayers(graph, output), "weights", "test");
    const net = netOf(graph, dims);
    const statistics = await outputStatistics(net, graph, weights, { images, runtime: await runtime, threads: 1 });
    const { graph: normed, scales } = insertNorms(graph, weights, statistics);
    expect(await answer(normed)).toBeAllclose(await answer(graph), { atol: 1e-4, rtol: 1e-4 });
    const own = weights.map(keptOf);
    const norms = findLayers(normed, output).filter(({ scale }) => scales.includes(scale.value));
    expect(norms.map(({ scale }) => scale.value).sort()).toEqual([...scales].sort());
    const inOrder = scales.map((name) => norms.find(({ scale }) => scale.value === name)!.scale);
    const weakened = await answer(foldMultipliers(normed, inOrder, own));
    const quiet = silence(
      graph,
      weights,
      own.map((each, i) => ({ kept: each, mean: statistics[i]!.mean })),
    );
    expect(await answer(quiet)).toBeAllclose(weakened, { atol: 1e-5, rtol: 1e-4 });
    const more = quiet.nodes.length - graph.nodes.length;
    const bare = weights.filter(
      ({ shift, nodes }, i) => i % 2 === 0 && shift === undefined && nodes[0]?.op === "MatMul",
    );
    expect(more).toBe(bare.length);
    const none = own.map((each, i) => ({ kept: each.map(() => 1), mean: statistics[i]!.mean }));
    expect(await answer(silence(graph, weights, none))).toEqual(await answer(graph));
  });
});

test("a network that has nothing to prune is refused", () => {
  const graph = inferenceForm(built("small-cnn", { width: 2 }));
  const onlyLast = findLayers(graph, "logits").filter(({ writesScores }) => writesScores);
  expect(() => prunableLayers(onlyLast, "auto", "anp")).toThrow(
    /anp: expected a network with convolutions, .* got none/,
  );
  const weights = findLayers(inferenceForm(exported("vit.dynamo23")), "y");
  expect(() => prunableLayers(weights, "norms", "anp")).toThrow(/anp: expected a network with normalisations/);
});
