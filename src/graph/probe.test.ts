import { describe, expect, test } from "vitest";
import { ShapeError, UnsupportedOpError } from "../core/errors.ts";
import { createNodeRuntime } from "../runtime/node.ts";
import { float32, int64 } from "../tensor/tensor.ts";
import { GraphBuilder, int, ints } from "./builder.ts";
import type { Graph } from "./ir.ts";
import { probe, type RunModel } from "./probe.ts";
import { graphToBytes } from "./to-model.ts";

const run: RunModel = async (model, feeds) => {
  const session = await (await createNodeRuntime({ threads: 1 })).load(model, { optimize: false });
  const results = await session.run(feeds);
  await session.dispose();
  return results;
};

function convNet(): { graph: Graph; conv: string; pooled: string } {
  const b = new GraphBuilder();
  const x = b.input("x", "float32", ["N", 3, 9, 9]);
  const conv = b.op("Conv", [x, b.weight("w", float32([4, 3, 3, 3]))], { strides: ints(2, 2), pads: ints(1, 1, 1, 1) });
  const pooled = b.op("GlobalAveragePool", [conv]);
  b.output("y", b.op("Flatten", [pooled]), "float32");
  return { graph: b.build("net"), conv, pooled };
}

/** Reshape to a computed shape [N * 5, 2 + 1], a Shape and a Range as long as the batch. */
function computedShapes(): { graph: Graph; shape: string; merged: string; range: string } {
  const b = new GraphBuilder();
  const x = b.input("x", "float32", ["N", 5, 3]);
  b.input("t", "int64", ["N"]);
  const shape = b.op("Shape", [x], { start: int(0), end: int(2) });
  const rows = b.op("ReduceProd", [shape], { keepdims: int(1) });
  const merged = b.op("Reshape", [x, b.op("Concat", [rows, b.op("Add", [b.ints(2), b.ints(1)])], { axis: int(0) })]);
  const count = b.op("Squeeze", [rows]);
  const range = b.op("Range", [b.constant(int64([], [0])), count, b.constant(int64([], [1]))]);
  b.output("y", b.op("Gather", [merged, range]), "float32");
  b.output("unused", b.op("Identity", ["t"]), "int64");
  return { graph: b.build("net"), shape, merged, range };
}

describe("predicts the dims of every value at another batch", () => {
  test("of a small conv net", async () => {
    const { graph, conv, pooled } = convNet();
    const values = await probe(graph, run);
    expect(values.get("x")?.dims(7)).toEqual([7, 3, 9, 9]);
    expect(values.get("w")?.dims(7)).toEqual([4, 3, 3, 3]);
    expect(values.get(conv)?.dims(7)).toEqual([7, 4, 5, 5]);
    expect(values.get(pooled)?.dims(7)).toEqual([7, 4, 1, 1]);
    expect(values.get("y")?.dims(1)).toEqual([1, 4]);
    expect(values.get("y")?.dtype).toBe("float32");
  });

  test("through Shape, Reshape and Range arithmetic", async () => {
    const { graph, shape, merged, range } = computedShapes();
    const values = await probe(graph, run);
    expect(values.get(shape)?.dtype).toBe("int64");
    expect(values.get(shape)?.dims(7)).toEqual([2]);
    expect(values.get(merged)?.dims(7)).toEqual([35, 3]);
    expect(values.get(range)?.dims(7)).toEqual([35]);
    expect(values.get("t")).toMatchObject({ dtype: "int64" });
    const names = graph.nodes.flatMap(({ outputs }) => outputs);
    expect([...values.keys()].sort()).toEqual([...names, "x", "t", ...graph.initializers.keys()].sort());
  });

  test("as a run at that batch shows", async () => {
    const { graph } = computedShapes();
    const values = await probe(graph, run);
    const results = await run(graphToBytes(graph), { x: float32([7, 5, 3]), t: int64([7], Array(7).fill(0)) });
    for (const [name, { dims }] of Object.entries(results)) expect(values.get(name)?.dims(7)).toEqual(dims);
  });

  test("with dims of the caller's own, also fixed ones", async () => {
    const { graph, merged } = computedShapes();
    const values = await probe(graph, run, (batch) => ({ x: [4, 5, 3], t: [batch + 1] }));
    expect(values.get(merged)?.dims(7)).toEqual([20, 3]);
    expect(values.get("unused")?.dims(7)).toEqual([8]);
  });
});

describe("refuses", () => {
  test("dims that depend on values", async () => {
    const b = new GraphBuilder();
    b.output("y", b.op("NonZero", [b.input("x", "float32", ["N"])]), "int64");
    await expect(probe(b.build("net"), run)).rejects.toThrow(UnsupportedOpError);
    await expect(probe(b.build("net"), run)).rejects.toThrow('got NonZero "NonZero_1"');
  });

  test("inputs of unknown dims, or that the caller forgot", async () => {
    const { graph } = convNet();
    const unknown = { ...graph, inputs: [{ name: "x", dtype: "float32", dims: undefined }] } as const;
    await expect(probe(unknown, run)).rejects.toThrow('probe: expected dims for the input "x", got none.');
    await expect(probe(graph, run, () => ({}))).rejects.toThrow(ShapeError);
  });

  test("a rank that changes with the batch", async () => {
    const { graph, conv } = convNet();
    const odd: RunModel = async (_, { x }) => ({ [conv]: float32(x?.dims[0] === 2 ? [1] : [1, 1]) });
    await expect(probe(graph, odd)).rejects.toThrow(
      /expected the same rank of "Conv_1" at any batch, got \[1\] and \[1, 1\]/,
    );
  });
});
