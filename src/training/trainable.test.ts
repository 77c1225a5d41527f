import { describe, expect, test } from "vitest";
import { readGolden, readGoldenBytes } from "../../test/support/golden.ts";
import { hashedWeights } from "../../test/support/hashed-weights.ts";
import { runModel } from "../../test/support/run-model.ts";
import { readGraph } from "../classifiers/gradient.ts";
import { float, GraphBuilder, int } from "../graph/builder.ts";
import type { Graph } from "../graph/ir.ts";
import { graphToBytes } from "../graph/to-model.ts";
import { buildClassifier } from "../nn/architectures/build-classifier.ts";
import { float32, type Tensor } from "../tensor/tensor.ts";
import { trainableOf } from "./trainable.ts";

const x = float32(
  [2, 2, 3, 3],
  Array.from({ length: 36 }, (_, i) => Math.sin(i)),
);
const vector = (...values: number[]): Tensor => float32([values.length], values);

/** A graph from x [N, 2, 3, 3] to y. */
function graphWith(write: (b: GraphBuilder, x: string) => string): Graph {
  const b = new GraphBuilder();
  b.output("y", write(b, b.input("x", "float32", ["N", 2, 3, 3])), "float32");
  return b.build("test");
}

async function answerOf(graph: Graph): Promise<Tensor> {
  return (await runModel(graphToBytes(graph), { x }))["y"]!;
}

describe("what learns", () => {
  test("of a network of ours: its parameters, not its statistics", () => {
    const weights = hashedWeights();
    const dims = { channels: 1, height: 28, width: 28 };
    const net = trainableOf(
      buildClassifier({ architecture: "small-cnn", options: { width: 4 }, classes: 10, dims, weights }),
    );
    const isStatistic = (name: string): boolean => /running_(mean|var)$/.test(name);
    const names = [...weights.state.keys()];
    expect([...net.weights].sort()).toEqual(names.filter((name) => !isStatistic(name)).sort());
    expect([...net.statistics.keys()].sort()).toEqual(names.filter(isStatistic).sort());
  });

  test("a normalisation that does not learn is frozen with its statistics", () => {
    const dims = { channels: 1, height: 28, width: 28 };
    const graph = buildClassifier({
      architecture: "small-cnn",
      options: { width: 4 },
      classes: 10,
      dims,
      weights: hashedWeights(),
    });
    const head = trainableOf(graph, (name) => name.startsWith("fc."));
    expect([...head.weights].sort()).toEqual(["fc.bias", "fc.weight"]);
    expect([...head.statistics]).toEqual([]);
    expect(head.graph.nodes).toEqual(head.inference.nodes);
  });

  test("single numbers of layers, but not of formulas; nothing that is no float", () => {
    const graph = graphWith((b, input) => {
      const kernel = b.weight("kernel", float32([1, 1, 1, 1], [2]));
      const whole = b.op("ReduceMean", [input, b.ints(1)]);
      const mapped = b.op("Conv", [whole, kernel, b.weight("bias", vector(1))]);
      const scaled = b.op("Mul", [mapped, b.weight("scale", float32([], [3]))]);
      const shifted = b.op("Add", [scaled, b.weight("row", vector(1, 2, 3))]);
      return b.op("Reshape", [
        shifted,
        b.weight("shape", { dtype: "int64", dims: [2], data: BigInt64Array.of(-1n, 9n) }),
      ]);
    });
    expect([...trainableOf(graph).weights].sort()).toEqual(["bias", "kernel", "row"]);
  });

  test("what somebody wrote into a node does not, unless it is a layer's kernel", () => {
    const graph = graphWith((b, input) => {
      const constant = (value: Tensor): string => b.op("Constant", [], { value: { kind: "tensor", value } });
      const kernel = constant(float32([2, 2, 1, 1], [1, 2, 3, 4]));
      const centred = b.op("Sub", [input, constant(float32([2, 1, 1], [0.4, 0.5]))]);
      const mapped = b.op("Conv", [centred, kernel]);
      const ones = [vector(1, 1), vector(0, 0)].map(constant);
      return b.op("InstanceNormalization", [mapped, ...ones]);
    });
    const { weights, graph: training } = trainableOf(graph);
    expect(weights.map((name) => training.initializers.get(name)?.dims)).toEqual([[2, 2, 1, 1]]);
  });

  test("scales of a Resize do not", () => {
    const graph = graphWith((b, input) => {
      const mapped = b.op("Mul", [input, b.weight("gain", float32([2, 1, 1], [1, 2]))]);
      return b.op("Resize", [mapped, "", b.weight("scales", vector(1, 1, 2, 2))]);
    });
    expect(trainableOf(graph).weights).toEqual(["gain"]);
  });

  test("of these, those that are asked for", () => {
    const graph = graphWith((b, input) =>
      b.op("Mul", [b.op("Add", [input, b.weight("a", vector(1, 2, 3))]), b.weight("b", vector(1, 2, 3))]),
    );
    expect(trainableOf(graph, (name) => name === "b").weights).toEqual(["b"]);
    expect(() => trainableOf(graph, () => false)).toThrow(
      "training: expected weights that learn (float32 initializers), got none among 2 initializers.",
    );
  });
});

describe("modes", () => {
  const stored = [vector(0.1, 0.2), vector(2, 3)];

  function normalised(attributes: Record<string, ReturnType<typeof int>> = {}, outputs = 1): Graph {
    return graphWith((b, input) => {
      const parts = ["scale", "bias"].map((name, i) => b.weight(name, vector(1 + i, 2)));
      const statistics = ["mean", "variance"].map((name, i) => b.weight(name, stored[i]!));
      const dropped = b.op("Dropout", [
        input,
        b.float(0.5),
        b.constant({ dtype: "bool", dims: [], data: Uint8Array.of(1) }),
      ]);
      const [y = ""] = b.ops("BatchNormalization", [dropped, ...parts, ...statistics], attributes, { outputs });
      return y;
    });
  }

  test("a network exported in training mode is put into the mode in which it is used", async () => {
    const { inference, graph } = trainableOf(normalised({ training_mode: int(1) }, 3));
    expect(inference.nodes.map(({ op }) => op)).not.toContain("Dropout");
    expect(graph.nodes.map(({ op }) => op)).not.toContain("Dropout");
    const plain = graphWith((b, input) => {
      const parts = [vector(1, 2), vector(2, 2), ...stored].map((value, i) => b.weight(`p${i}`, value));
      return b.op("BatchNormalization", [input, ...parts]);
    });
    expect(await answerOf(inference)).toEqual(await answerOf(plain));
    expect(await answerOf(graph)).not.toEqual(await answerOf(plain));
  });

  test("as PyTorch exports it: logits are those of evaluation mode", async () => {
    const golden = readGolden("training/training-mode.safetensors");
    const net = trainableOf(readGraph(readGoldenBytes("training/training-mode.onnx"), {}));
    expect(net.statistics.size).toBe(4);
    expect(net.weights.length).toBe(9);
    const { logits } = await runModel(graphToBytes(net.inference), { x: golden.tensor("x") });
    expect(logits!.data as Float32Array).toBeAllclose(golden.float32("logits"), { atol: 1e-6 });
  });

  test("in training, statistics are those of the batch, and running ones move towards them", async () => {
    const { graph, statistics } = trainableOf(normalised({ momentum: float(0.8) }));
    const next = ["mean", "variance"].map((name) => statistics.get(name)!);
    const outputs = next.map((name) => ({ name, dtype: "float32" as const, dims: [2] }));
    const results = await runModel(graphToBytes({ ...graph, outputs: [...graph.outputs, ...outputs] }), { x });
    for (const channel of [0, 1]) {
      const values = Array.from(x.data).filter((_, i) => Math.floor(i / 9) % 2 === channel);
      const mean = values.reduce((sum, value) => sum + value, 0) / 18;
      const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 18;
      const expected = [mean, variance].map((value, i) => 0.8 * Number(stored[i]!.data[channel]) + 0.2 * value);
      expect(next.map((name) => results[name]!.data[channel])).toBeAllclose(expected, { rtol: 1e-5 });
    }
  });

  test("a scale and shift that a builder wrote is no normalisation over the batch", () => {
    const graph = graphWith((b, input) => {
      const constants = [vector(1, 1), vector(0, 0), vector(0, 0), vector(1, 1)].map((value) => b.constant(value));
      return b.op("Mul", [b.op("BatchNormalization", [input, ...constants]), b.weight("w", vector(1, 2, 3))]);
    });
    const { statistics, weights } = trainableOf(graph);
    expect([statistics.size, weights]).toEqual([0, ["w"]]);
  });
});

describe("shared tensors", () => {
  test("zeros that are a bias and a running mean become two", () => {
    const graph = graphWith((b, input) => {
      const [zeros, ones] = [b.weight("zeros", vector(0, 0)), b.weight("ones", vector(1, 1))];
      const first = b.op("BatchNormalization", [input, ones, zeros, zeros, ones]);
      return b.op("BatchNormalization", [first, ones, zeros, zeros, b.weight("own", vector(2, 2))]);
    });
    const { weights, statistics, inference } = trainableOf(graph);
    expect([...weights].sort()).toEqual(["ones", "zeros"]);
    expect(statistics.size).toBe(4);
    for (const name of statistics.keys()) expect(weights).not.toContain(name);
    expect(inference.initializers.get("zeros.mean")).toEqual(vector(0, 0));
  });

  test("a layer that is used twice goes on from its first use", async () => {
    const graph = graphWith((b, input) => {
      const parts = [vector(1, 1), vector(0, 0), vector(0, 0), vector(1, 1)].map((v, i) => b.weight(`p${i}`, v));
      const first = b.op("BatchNormalization", [input, ...parts], { momentum: float(0.5) });
      return b.op("BatchNormalization", [b.op("Add", [first, b.float(4)]), ...parts], { momentum: float(0.5) });
    });
    const { graph: training, statistics } = trainableOf(graph);
    const mean = statistics.get("p2")!;
    const outputs = [...training.outputs, { name: mean, dtype: "float32" as const, dims: [2] }];
    const results = await runModel(graphToBytes({ ...training, outputs }), { x });
    const own = [0, 1].map(
      (channel) =>
        Array.from(x.data)
          .filter((_, i) => Math.floor(i / 9) % 2 === channel)
          .reduce((a, b) => a + b) / 18,
    );
    expect(results[mean]!.data as Float32Array).toBeAllclose(
      own.map((value) => 0.5 * (0.5 * value) + 0.5 * 4),
      { rtol: 1e-5 },
    );
  });
});
