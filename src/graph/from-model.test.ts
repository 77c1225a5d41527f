import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FormatError, ToolkitError, UnsupportedOpError } from "../core/errors.ts";
import { decodeModel, encodeModel } from "../onnx/codec.ts";
import { AttributeType, create, DataType, type ModelProto, ModelProtoSchema } from "../onnx/schema.ts";
import { createNodeRuntime } from "../runtime/node.ts";
import { float32, int64, type Tensor } from "../tensor/tensor.ts";
import { float, GraphBuilder, int, ints, string } from "./builder.ts";
import { graphFromModel } from "./from-model.ts";
import type { Graph } from "./ir.ts";
import { checkGraph } from "./order.ts";
import { graphToBytes, graphToModel } from "./to-model.ts";

const reread = (graph: Graph): Graph => graphFromModel(decodeModel(graphToBytes(graph)));

/** A sound model, with some fields of its graph replaced. */
function modelWith(changes: NonNullable<Parameters<typeof create<typeof ModelProtoSchema>>[1]>["graph"]): ModelProto {
  const type = { value: { case: "tensorType" as const, value: { elemType: DataType.FLOAT, shape: { dim: [] } } } };
  return create(ModelProtoSchema, {
    irVersion: 8n,
    opsetImport: [{ domain: "ai.onnx", version: 18n }],
    graph: {
      name: "g",
      node: [{ opType: "Relu", input: ["x"], output: ["y"] }],
      input: [{ name: "x", type }],
      output: [{ name: "y", type }],
      ...changes,
    },
  });
}

test("a graph of every kind of attribute comes back as it was", () => {
  const b = new GraphBuilder();
  const x = b.input("x", "float32", ["N", "", 4]);
  const opaque = { kind: "opaque", value: Uint8Array.of(0x0a, 1, 0x67, 0x32, 0, 0xa0, 1, 5) } as const;
  const y = b.op("F", [x, "", b.weight("w", float32([2], [1, 2]))], {
    i: int(-3),
    f: float(2),
    s: string("ß"),
    is: ints(1, -2),
    fs: { kind: "floats", value: [0.5, -1] },
    ss: { kind: "strings", value: ["a", ""] },
    t: { kind: "tensor", value: int64([2], [1, 2]) as Tensor },
    g: opaque,
  });
  b.output("y", y, "int64");
  const graph = b.build("net");
  expect(reread(graph)).toEqual(graph);
});

test.each(["tiny", "noise"])("%s.onnx computes the same after a trip through the graph", async (name) => {
  const bytes = new Uint8Array(readFileSync(`test/golden/defences/${name}.onnx`));
  const graph = graphFromModel(decodeModel(bytes));
  const runtime = await createNodeRuntime({ threads: 1 });
  const [before, after] = [await runtime.load(bytes), await runtime.load(graphToBytes(graph))];
  expect(after.inputs).toEqual(before.inputs);
  const feeds = Object.fromEntries(
    before.inputs.map(({ name: input, dtype, dims }) => {
      const known = dims.map((dim) => (typeof dim === "number" ? dim : 2));
      const count = known.reduce((product, dim) => product * dim, 1);
      const values = Array.from({ length: count }, (_, i) => (dtype === "int64" ? i : Math.sin(i)));
      return [input, dtype === "int64" ? int64(known, values) : float32(known, values)];
    }),
  );
  expect(await after.run(feeds)).toEqual(await before.run(feeds));
});

describe("reading", () => {
  test("weights that are also inputs are weights, and ai.onnx is the standard domain", () => {
    const model = modelWith({ node: [{ opType: "Add", domain: "ai.onnx", input: ["x", "w"], output: ["y"] }] });
    model.graph!.input.push({ ...model.graph!.input[0]!, name: "w" });
    model.graph!.initializer = graphToModel({ ...emptyGraph, initializers: new Map([["w", float32([1], [1])]]) })
      .graph!.initializer;
    const graph = graphFromModel(model);
    expect(graph.inputs.map(({ name }) => name)).toEqual(["x"]);
    expect(graph.opsets).toEqual({ "": 18 });
    expect(graph.nodes[0]?.domain).toBe("");
  });

  test("weights that our tensors cannot hold become constants that keep their bytes", () => {
    const text = { name: "text", dataType: DataType.STRING, dims: [1n], stringData: [Uint8Array.of(0xff)] };
    const model = modelWith({
      initializer: [text],
      node: [{ opType: "Foo", input: ["x", "text"], output: ["y"] }],
    });
    const graph = graphFromModel(model);
    expect(graph.nodes.map(({ op }) => op)).toEqual(["Constant", "Foo"]);
    const written = decodeModel(encodeModel(graphToModel(graph)));
    expect(written.graph?.node[0]?.attribute[0]?.t).toMatchObject({
      dataType: DataType.STRING,
      stringData: text.stringData,
    });
  });

  test("text attributes that are no text, and 8-bit floats in attributes, stay bytes", () => {
    const attribute = [
      { name: "s", type: AttributeType.STRING, s: Uint8Array.of(0xff) },
      { name: "ss", type: AttributeType.STRINGS, strings: [Uint8Array.of(65), Uint8Array.of(0xff)] },
      {
        name: "t",
        type: AttributeType.TENSOR,
        t: { dataType: DataType.FLOAT8E5M2, dims: [1n], rawData: Uint8Array.of(1) },
      },
    ];
    const graph = graphFromModel(modelWith({ node: [{ opType: "Foo", input: ["x"], output: ["y"], attribute }] }));
    expect(Object.values(graph.nodes[0]!.attributes).map(({ kind }) => kind)).toEqual(["opaque", "opaque", "opaque"]);
    expect(reread(graph)).toEqual(graph);
  });

  test("integers beyond 2^53 are the nearest that JavaScript holds", () => {
    const attribute = [
      { name: "i", type: AttributeType.INT, i: 2n ** 63n - 1n },
      { name: "is", type: AttributeType.INTS, ints: [-(2n ** 63n), 5n] },
    ];
    const graph = graphFromModel(modelWith({ node: [{ opType: "Foo", input: ["x"], output: ["y"], attribute }] }));
    expect(graph.nodes[0]?.attributes["i"]).toEqual(int(Number.MAX_SAFE_INTEGER));
    expect(graph.nodes[0]?.attributes["is"]).toEqual(ints(-Number.MAX_SAFE_INTEGER, 5));
  });

  test("nodes out of order are sorted", () => {
    const node = [
      { opType: "Relu", input: ["h"], output: ["y"] },
      { opType: "Abs", input: ["x"], output: ["h"] },
    ];
    expect(graphFromModel(modelWith({ node })).nodes.map(({ op }) => op)).toEqual(["Abs", "Relu"]);
  });

  test("a shape that is not there is unknown, and stays so", () => {
    const model = modelWith({});
    model.graph!.input[0]!.type!.value.value = { elemType: DataType.FLOAT } as never;
    const graph = graphFromModel(model);
    expect(graph.inputs[0]?.dims).toBeUndefined();
    expect(reread(graph)).toEqual(graph);
  });
});

const emptyGraph: Graph = { name: "", opsets: {}, inputs: [], outputs: [], initializers: new Map(), nodes: [] };
const sequence = { value: { case: "sequenceType" as const, value: {} } };
const text = { value: { case: "tensorType" as const, value: { elemType: DataType.STRING } } };

test.each<[string, ModelProto, new (message: string) => Error, string]>([
  ["no graph", create(ModelProtoSchema), FormatError, "expected a graph inside"],
  [
    "functions",
    Object.assign(modelWith({}), { functions: create(ModelProtoSchema, { functions: [{ name: "f" }] }).functions }),
    UnsupportedOpError,
    "expected a plain graph, got one with 1 functions of its own.",
  ],
  ["sparse weights", modelWith({ sparseInitializer: [{}] }), UnsupportedOpError, "got one with 1 sparse weights."],
  ["a sequence", modelWith({ input: [{ name: "x", type: sequence }] }), UnsupportedOpError, "got sequenceType."],
  ["text", modelWith({ input: [{ name: "x", type: text }] }), UnsupportedOpError, "got STRING."],
  ["no type", modelWith({ input: [{ name: "x" }] }), UnsupportedOpError, "got no type."],
  ["two weights of one name", modelWith({ initializer: [floatProto("w"), floatProto("w")] }), FormatError, "got two."],
  ["an undefined value", modelWith({ node: [{ opType: "Relu", input: ["z"], output: ["y"] }] }), FormatError, '"z"'],
  ["a lying weight", modelWith({ initializer: [{ ...floatProto("w"), dims: [9n] }] }), FormatError, 'tensor "w"'],
])("refuses %s", (_, model, errorClass, message) => {
  expect(() => graphFromModel(model)).toThrow(errorClass);
  expect(() => graphFromModel(model)).toThrow(message);
});

test("any damage to a model: a graph or one of our errors", () => {
  const whole = new Uint8Array(readFileSync("test/golden/defences/tiny.onnx"));
  const change = fc.tuple(fc.nat(), fc.nat(255));
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 6 }), (changes) => {
      const bytes = whole.slice();
      // Names, operators and sizes lie between the weights: the first and the last bytes are the interesting ones.
      for (const [at, value] of changes) bytes[at % 2 === 0 ? at % 600 : bytes.length - 1 - (at % 600)] = value;
      try {
        checkGraph(graphFromModel(decodeModel(bytes)));
      } catch (error) {
        expect(error).toBeInstanceOf(ToolkitError);
      }
    }),
    { numRuns: 500 },
  );
});

function floatProto(name: string): { name: string; dataType: number; dims: bigint[]; floatData: number[] } {
  return { name, dataType: DataType.FLOAT, dims: [1n], floatData: [1] };
}
