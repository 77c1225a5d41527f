import { expect, test } from "vitest";
import { runModel } from "../../../test/support/run-model.ts";
import { float32, int64 } from "../../tensor/tensor.ts";
import { GraphBuilder, int } from "../builder.ts";
import type { Graph } from "../ir.ts";
import type { RunModel } from "../probe.ts";
import { graphToBytes } from "../to-model.ts";
import { specialise } from "./specialise.ts";

/** Reshapes x [N, 6] to [N * 2, 3] by arithmetic on shapes, and multiplies by the exponential of a weight. */
function model(): Graph {
  const b = new GraphBuilder();
  const x = b.input("x", "float32", ["N", 6]);
  const rows = b.op("Mul", [b.op("Gather", [b.op("Shape", [x]), b.constant(int64([1], [0]))]), b.ints(2)]);
  const shape = b.op("Concat", [rows, b.ints(-1)], { axis: int(0) });
  const factor = b.op("Exp", [b.weight("w", float32([3], [0, 1, 2]))]);
  b.output("y", b.op("Mul", [b.op("Reshape", [x, shape]), factor]), "float32", ["M", 3]);
  return b.build("net");
}

test("computes shapes of one batch, and what follows from constants", async () => {
  const { graph, facts } = await specialise(model(), runModel, { batch: 5 });
  expect(graph.nodes.map(({ op }) => op)).toEqual(["Reshape", "Mul", "Identity"]);
  expect(graph.inputs[0]?.dims).toEqual([5, 6]);
  expect(graph.outputs[0]?.dims).toEqual([10, 3]);
  expect(facts.get("y")).toEqual({ dtype: "float32", dims: [10, 3] });
  const x = float32(
    [5, 6],
    Array.from({ length: 30 }, (_, i) => i),
  );
  expect(await runModel(graphToBytes(graph), { x })).toEqual(await runModel(graphToBytes(model()), { x }));
});

test("leaves what depends on weights that will change", async () => {
  const { graph } = await specialise(model(), runModel, { batch: 5, keep: new Set(["w"]) });
  expect(graph.nodes.map(({ op }) => op)).toEqual(["Exp", "Reshape", "Mul", "Identity"]);
  expect(graph.initializers.has("w")).toBe(true);
});

test("neither folds random numbers nor runs anything where nothing is constant", async () => {
  const b = new GraphBuilder();
  const x = b.input("x", "float32", ["N"]);
  b.output("y", b.op("Add", [x, b.op("RandomNormal", [], { shape: { kind: "ints", value: [1] } })]), "float32");
  let runs = 0;
  const counted: RunModel = (bytes, feeds) => {
    runs += 1;
    return runModel(bytes, feeds);
  };
  const { graph } = await specialise(b.build("net"), counted, { batch: 2 });
  expect(graph.nodes.map(({ op }) => op)).toContain("RandomNormal");
  expect(runs).toBe(2);
});
