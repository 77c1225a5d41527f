import { describe, expect, test } from "vitest";
import { runModel } from "../../../test/support/run-model.ts";
import { float32, int64, type Tensor } from "../../tensor/tensor.ts";
import { float, GraphBuilder, int, ints, string } from "../builder.ts";
import { differentiate } from "../differentiate.ts";
import type { Attribute, Graph } from "../ir.ts";
import { graphToBytes } from "../to-model.ts";
import { normalise } from "./normalise.ts";
import { specialise } from "./specialise.ts";

const dims = [2, 4, 3, 5];
const x = float32(
  dims,
  Array.from({ length: 120 }, (_, i) => Math.sin(1.7 * i) + 0.01),
);

/** One operator of an old version: its attributes, and constants behind x. */
interface Old {
  readonly opset: number;
  readonly attributes?: Readonly<Record<string, Attribute>>;
  readonly constants?: readonly Tensor[];
  readonly outputs?: number;
}

const floats = (...value: number[]): Attribute => ({ kind: "floats", value });

const old: [string, Old][] = [
  ["ReduceMean", { opset: 9, attributes: { axes: ints(2, 3), keepdims: int(0) } }],
  ["ReduceSum", { opset: 11, attributes: { axes: ints(1) } }],
  ["ReduceL2", { opset: 13, attributes: { axes: ints(-1) } }],
  ["ReduceMax", { opset: 17, attributes: { axes: ints(-1), keepdims: int(0) } }],
  ["ReduceMean", { opset: 17 }],
  ["Unsqueeze", { opset: 9, attributes: { axes: ints(0) } }],
  ["Softmax", { opset: 9, attributes: { axis: int(2) } }],
  ["Softmax", { opset: 11 }],
  ["LogSoftmax", { opset: 12, attributes: { axis: int(3) } }],
  ["Clip", { opset: 9, attributes: { min: float(-0.5), max: float(0.6) } }],
  ["Clip", { opset: 10, attributes: { max: float(0.6) } }],
  ["Slice", { opset: 9, attributes: { starts: ints(1, -3), ends: ints(3, 9_007_199_254_740_991), axes: ints(1, 3) } }],
  ["Slice", { opset: 9, attributes: { starts: ints(1), ends: ints(2) } }],
  ["Pad", { opset: 9, attributes: { pads: ints(0, 0, 1, 2, 0, 0, 0, 1), value: float(0.5) } }],
  ["Pad", { opset: 9, attributes: { pads: ints(0, 0, 1, 2, 0, 0, 0, 1), mode: string("reflect") } }],
  ["Split", { opset: 9, attributes: { axis: int(1), split: ints(1, 3) }, outputs: 2 }],
  ["Split", { opset: 11, attributes: { axis: int(1) }, outputs: 2 }],
  ["Split", { opset: 13, attributes: { axis: int(1) }, outputs: 2 }],
  ["TopK", { opset: 9, attributes: { k: int(2) }, outputs: 2 }],
  ["Upsample", { opset: 9, attributes: { mode: string("nearest") }, constants: [float32([4], [1, 1, 2, 3])] }],
  ["Upsample", { opset: 8, attributes: { mode: string("linear"), scales: floats(1, 1, 2, 2) } }],
  ["Resize", { opset: 10, attributes: { mode: string("linear") }, constants: [float32([4], [1, 1, 2, 1.5])] }],
  ["Resize", { opset: 10, constants: [float32([4], [1, 1, 0.7, 0.5])] }],
  ["Dropout", { opset: 9, attributes: { ratio: float(0.3) } }],
  ["Dropout", { opset: 13 }],
  ["BatchNormalization", { opset: 9, constants: [1, 2, 3, 4].map((k) => float32([4], [k, 1, 0.5, k])) }],
  ["LeakyRelu", { opset: 9 }],
  ["MaxPool", { opset: 9, attributes: { kernel_shape: ints(2, 2), strides: ints(1, 2) } }],
];

function oldModel(op: string, { opset, attributes = {}, constants = [], outputs = 1 }: Old): Graph {
  const b = new GraphBuilder();
  b.useDomain("", opset);
  const inputs = [b.input("x", "float32", ["N", 4, 3, 5]), ...constants.map((value) => b.constant(value))];
  b.output("y", b.ops(op, inputs, attributes, { outputs })[0]!, "float32");
  return b.build("old");
}

describe("lifts", () => {
  test.each(old)("%s %j", async (op, description) => {
    const model = oldModel(op, description);
    const lifted = normalise(model);
    expect(lifted.opsets[""]).toBe(18);
    const [before, after] = [await runModel(graphToBytes(model), { x }), await runModel(graphToBytes(lifted), { x })];
    expect(after["y"]?.dims).toEqual(before["y"]?.dims);
    expect(after["y"]?.data as Float32Array).toBeAllclose(before["y"]?.data as Float32Array, { atol: 1e-6 });
    const { graph, facts } = await specialise(model, runModel, { batch: 2 });
    expect(differentiate(graph, { seeds: { y: 1 }, wrt: ["x"] }, facts).outputs.at(-1)?.dims).toEqual(dims);
  });

  test("Scatter, and training of BatchNormalization told by its outputs", async () => {
    const b = new GraphBuilder();
    b.useDomain("", 9);
    const image = b.input("x", "float32", ["N", 4, 3, 5]);
    const vectors = [1, 2, 3, 4].map((k) => b.weight(`v${k}`, float32([4], [k, 1, 0.5, k])));
    const [y = ""] = b.ops("BatchNormalization", [image, ...vectors], {}, { outputs: 5 });
    const index = b.constant(int64([1, 1, 1, 1], [0]));
    b.output("y", b.op("Scatter", [y, index, b.constant(float32([1, 1, 1, 1], [7]))], { axis: int(1) }), "float32");
    const { nodes } = normalise(b.build("old"));
    expect(nodes[0]).toMatchObject({ op: "BatchNormalization", attributes: { training_mode: int(1) } });
    expect(nodes[0]?.outputs.length).toBe(3);
    expect(nodes[1]?.op).toBe("ScatterElements");
  });

  test("nothing below version 7", () => {
    expect(() => normalise({ ...oldModel("Relu", { opset: 9 }), opsets: { "": 6 } })).toThrow(
      "normalise: expected opset 7 or newer, got 6.",
    );
  });
});

describe("tidies", () => {
  test("constants become initializers, copies go, outputs keep their names", () => {
    const b = new GraphBuilder();
    const value: Attribute = { kind: "tensor", value: float32([1], [2]) };
    const two = b.op("Constant", [], { value });
    const three = b.op("Constant", [], { value_float: float(3) });
    const copy = b.op("Dropout", [b.op("Identity", [b.input("x", "float32", [2])])]);
    b.output("y", b.op("Mul", [b.op("Add", [copy, two]), three]), "float32");
    b.output("same", copy, "float32");
    b.output("constant", two, "float32");
    const { nodes, outputs, initializers } = normalise(b.build("net"));
    expect(nodes.map(({ op }) => op).sort()).toEqual(["Add", "Identity", "Identity", "Identity", "Mul"]);
    expect(outputs.map(({ name }) => name)).toEqual(["y", "same", "constant"]);
    expect([...initializers.values()].map(({ data }) => [...data])).toEqual([[2], [3]]);
  });

  test("weights that an exporter has merged become two", () => {
    const b = new GraphBuilder();
    const bias = b.weight("bias", float32([2]));
    const other = b.op("Identity", [bias]);
    b.output("y", b.op("Add", [b.op("Add", [b.input("x", "float32", [2]), bias]), other]), "float32");
    expect([...normalise(b.build("net")).initializers.keys()]).toEqual(["bias", other]);
  });

  test("inputs of unknown dims stay unknown", () => {
    const b = new GraphBuilder();
    b.output("y", b.op("Neg", [b.input("x", "float32", undefined)]), "float32");
    expect(normalise(b.build("net")).inputs[0]?.dims).toBeUndefined();
  });
});
