import { expect, test } from "vitest";
import { tinyNet } from "../../test/support/tiny-training.ts";
import { float, GraphBuilder } from "../graph/builder.ts";
import type { Facts } from "../graph/facts.ts";
import type { Graph } from "../graph/ir.ts";
import { float32 } from "../tensor/tensor.ts";
import { unbiasInto } from "./kernels.ts";
import { layoutOf } from "./layout.ts";
import { type RunningVariance, runningVariances } from "./running-variances.ts";
import { trainableOf } from "./trainable.ts";

function variancesOf(graph: Graph, x: string, dims: readonly number[]): readonly RunningVariance[] {
  const net = trainableOf(graph);
  const statistics = layoutOf([...net.statistics.keys()].map((name) => [name, net.graph.initializers.get(name)!]));
  const input = net.graph.nodes.find(({ op }) => op === "BatchNormalization")?.inputs[0] ?? x;
  const facts: Facts = new Map([[input, { dtype: "float32", dims }]]);
  return runningVariances(net, statistics, { graph: net.graph, facts });
}

test("a running variance is found behind its mean, with the values of a channel", () => {
  expect(variancesOf(tinyNet(), "x", [8, 4, 4, 4])).toEqual([
    { from: 4, to: 8, momentum: expect.closeTo(0.9), count: 128 },
  ]);
});

test("a layer that is used twice keeps the specification's", () => {
  const b = new GraphBuilder();
  const parts = [1, 0, 0, 1].map((value, i) => b.weight(`p${i}`, float32([2], [value, value])));
  const once = b.op("BatchNormalization", [b.input("x", "float32", ["N", 2]), ...parts], { momentum: float(0.5) });
  b.output("y", b.op("BatchNormalization", [once, ...parts], { momentum: float(0.5) }), "float32");
  expect(variancesOf(b.build("twice"), "x", [8, 2])).toEqual([]);
});

test("the variance of a batch becomes that of the data", () => {
  const stored = Float32Array.of(2, 4);
  const next = Float32Array.of(0.9 * 2 + 0.1 * 3, 0.9 * 4 + 0.1 * 1);
  unbiasInto(next, stored, { momentum: 0.9, count: 5 });
  expect(next).toBeAllclose([0.9 * 2 + 0.1 * 3 * 1.25, 0.9 * 4 + 0.1 * 1.25], { rtol: 1e-6 });
  const alone = Float32Array.of(1.8, 3.6);
  unbiasInto(alone, stored, { momentum: 0.9, count: 1 });
  expect(alone).toBeAllclose([1.8, 3.6], { rtol: 1e-6 });
});
