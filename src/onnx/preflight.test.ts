import { describe, expect, test } from "vitest";
import { FormatError } from "../core/errors.ts";
import { preflight } from "./preflight.ts";
import { AttributeType, create, DataType, GraphProtoSchema, type ModelProto, ModelProtoSchema } from "./schema.ts";

type Graph = Parameters<typeof create<typeof GraphProtoSchema>>[1];

/** A model of opset 18. */
function model(graph: Graph): ModelProto {
  return create(ModelProtoSchema, { graph: create(GraphProtoSchema, graph) });
}

/** An input [N, 2, H, W], and a vector of so many scales. */
const image = {
  name: "x",
  type: {
    value: {
      case: "tensorType" as const,
      value: {
        elemType: DataType.FLOAT,
        shape: { dim: [0, 2, 0, 0].map((value) => ({ value: { case: "dimValue" as const, value: BigInt(value) } })) },
      },
    },
  },
};
const scales = (count: number) => ({ name: "scales", dataType: DataType.FLOAT, dims: [BigInt(count)] });
const resize = { opType: "Resize", name: "up", input: ["x", "", "scales"], output: ["y"] };

describe("scales of a Resize", () => {
  test.each([
    ["as many as axes", { node: [resize], input: [image], initializer: [scales(4)] }],
    ["of an input of unknown axes", { node: [resize], initializer: [scales(4)] }],
    ["that are not known", { node: [resize], input: [image] }],
    [
      "in its second input, before opset 11",
      { node: [{ ...resize, input: ["x", "scales"] }], initializer: [scales(4)] },
    ],
    [
      "of some axes",
      {
        node: [{ ...resize, attribute: [{ name: "axes", type: AttributeType.INTS, ints: [2n, 3n] }] }],
        input: [image],
        initializer: [scales(2)],
      },
    ],
    ["of another domain", { node: [{ ...resize, domain: "mine" }], initializer: [scales(64)] }],
  ] satisfies [string, Graph][])("%s pass", (_, graph) => {
    expect(() => preflight(model(graph))).not.toThrow();
  });

  test.each([
    [
      "more than axes",
      { node: [resize], input: [image], initializer: [scales(5)] },
      'model: expected 4 scales, got 5 in "scales" at Resize "up"; because the engine ends the process on such models.',
    ],
    [
      "more than any image has axes",
      { node: [resize], initializer: [scales(64)] },
      'model: expected one scale for each axis, at most 8, got 64 in "scales" at Resize "up"',
    ],
    [
      "more than the axes that are named",
      {
        node: [{ ...resize, attribute: [{ name: "axes", type: AttributeType.INTS, ints: [2n, 3n] }] }],
        initializer: [scales(3)],
      },
      "model: expected 2 scales, got 3",
    ],
    [
      "of an Upsample",
      { node: [{ opType: "Upsample", name: "up", input: ["x", "scales"], output: ["y"] }], initializer: [scales(64)] },
      'at most 8, got 64 in "scales" at Upsample "up"',
    ],
    [
      "from a Constant",
      {
        node: [
          {
            opType: "Constant",
            output: ["scales"],
            attribute: [{ name: "value", type: AttributeType.TENSOR, t: scales(64) }],
          },
          resize,
        ],
      },
      "at most 8, got 64",
    ],
    [
      "from a Constant of floats",
      {
        node: [
          {
            opType: "Constant",
            output: ["scales"],
            attribute: [{ name: "value_floats", type: AttributeType.FLOATS, floats: Array<number>(64).fill(2) }],
          },
          resize,
        ],
      },
      "at most 8, got 64",
    ],
    [
      "in the body of an If",
      {
        node: [
          {
            opType: "If",
            input: ["condition"],
            output: ["z"],
            attribute: [
              {
                name: "then_branch",
                type: AttributeType.GRAPH,
                g: create(GraphProtoSchema, { node: [resize], initializer: [scales(64)] }),
              },
            ],
          },
        ],
      },
      "at most 8, got 64",
    ],
  ] satisfies [string, Graph, string][])("%s are refused", (_, graph, sentence) => {
    expect(() => preflight(model(graph))).toThrow(FormatError);
    expect(() => preflight(model(graph))).toThrow(sentence);
  });
});

describe("a Range", () => {
  const range = { opType: "Range", name: "r", input: ["from", "to", "by"], output: ["rows"] };
  const gather = { opType: "Gather", name: "g", input: ["x", "rows"], output: ["y"] };
  const [rows, y] = ["rows", "y"].map((name) => ({ name }));

  test.each([
    ["that is no output", { node: [range, gather], output: [y!] }],
    ["that no Gather takes", { node: [range], output: [rows!] }],
    ["that is what a Gather takes from", { node: [range, { ...gather, input: ["rows", "x"] }], output: [rows!, y!] }],
  ] satisfies [string, Graph][])("%s passes", (_, graph) => {
    expect(() => preflight(model(graph))).not.toThrow();
  });

  test("that is both is refused", () => {
    expect(() => preflight(model({ node: [range, gather], output: [rows!, y!] }))).toThrow(
      'model: expected a Range that is not an output, got "rows", which Gather "g" takes too; because the engine ends the process on such models. Do export the model without that output.',
    );
  });
});

test("a model without a graph is left to others", () => {
  expect(() => preflight(create(ModelProtoSchema))).not.toThrow();
});
