import { describe, expect, test } from "vitest";
import { FormatError } from "../core/errors.ts";
import { encodeAttribute } from "../onnx/codec.ts";
import { AttributeProtoSchema, AttributeType, create } from "../onnx/schema.ts";
import type { Graph, GraphNode } from "./ir.ts";
import { checkGraph, sortNodes } from "./order.ts";
import { valuesReadBy } from "./values-read.ts";

function node(op: string, inputs: readonly string[], outputs: readonly string[], body?: GraphNode): GraphNode {
  return { op, domain: "", name: op.toLowerCase(), inputs, outputs, attributes: body?.attributes ?? {} };
}

/** `If` whose branch adds `outer` to a value of its own, inside a second `If`. */
const conditional: GraphNode = (() => {
  const inner = {
    name: "inner",
    node: [{ opType: "Add", input: ["own", "outer"], output: ["sum"] }],
    output: [{ name: "sum" }],
  };
  const body = create(AttributeProtoSchema, {
    name: "then_branch",
    type: AttributeType.GRAPH,
    g: {
      name: "then",
      initializer: [{ name: "own" }],
      node: [
        {
          opType: "If",
          input: ["flag"],
          output: ["z"],
          attribute: [{ name: "then_branch", type: AttributeType.GRAPH, g: inner }],
        },
      ],
      output: [{ name: "z" }],
    },
  });
  return {
    ...node("If", ["flag"], ["y"]),
    attributes: { then_branch: { kind: "opaque", value: encodeAttribute(body) } },
  };
})();

test("a node reads its inputs and what its bodies take from around it", () => {
  expect([...valuesReadBy(conditional)]).toEqual(["flag", "outer"]);
  expect([...valuesReadBy(node("Resize", ["x", "", "s"], ["y"]))]).toEqual(["x", "s"]);
});

describe("sorting", () => {
  const [a, b, c] = [node("A", ["x"], ["a"]), node("B", ["a"], ["b"]), node("C", ["a", "b"], ["c"])];

  test("sorted nodes keep their order", () => {
    const side = node("Side", ["x"], ["s"]);
    expect(sortNodes([a, side, b, c])).toEqual([a, side, b, c]);
  });

  test("each node comes after what it reads, also through a body", () => {
    expect(sortNodes([c, b, a])).toEqual([a, b, c]);
    const outer = node("Relu", ["x"], ["outer"]);
    expect(sortNodes([conditional, outer])).toEqual([outer, conditional]);
  });

  test("a chain of 50,000 nodes, backwards", () => {
    const chain = Array.from({ length: 50_000 }, (_, i) => node("N", [`v${i}`], [`v${i + 1}`]));
    expect(sortNodes([...chain].reverse())).toEqual(chain);
  });

  test("a circle is refused", () => {
    expect(() => sortNodes([node("A", ["b"], ["a"]), node("B", ["a"], ["b"])])).toThrow(FormatError);
    expect(() => sortNodes([node("Loop", ["a"], ["a"])])).toThrow('got a circle through Loop "loop"');
  });
});

describe("checking", () => {
  const graph = (changes: Partial<Graph>): Graph => ({
    name: "g",
    opsets: { "": 18 },
    inputs: [{ name: "x", dtype: "float32", dims: [1] }],
    outputs: [{ name: "y", dtype: "float32", dims: [1] }],
    initializers: new Map(),
    nodes: [node("Relu", ["x"], ["y"])],
    ...changes,
  });

  test("a sound graph passes", () => {
    expect(() => checkGraph(graph({}))).not.toThrow();
  });

  test.each<[string, Partial<Graph>, string]>([
    [
      "an undefined input",
      { nodes: [node("Relu", ["z"], ["y"])] },
      'expected a value "z" before Relu "relu", got none',
    ],
    [
      "an input defined only later",
      { nodes: [node("Relu", ["h"], ["y"]), node("Abs", ["x"], ["h"])] },
      'expected a value "h" before Relu "relu"',
    ],
    [
      "a value that a body lacks",
      { inputs: [{ name: "flag", dtype: "bool", dims: [] }], nodes: [conditional] },
      'expected a value "outer" before If',
    ],
    [
      "two definitions",
      { nodes: [node("Relu", ["x"], ["y"]), node("Abs", ["x"], ["y"])] },
      'expected one definition of "y", got another by Abs "abs"',
    ],
    ["a node that redefines an input", { nodes: [node("Relu", ["x"], ["x"])] }, 'definition of "x"'],
    ["an output of nothing", { nodes: [] }, 'expected a value for the output "y", got none'],
    [
      "an output twice",
      { outputs: [1, 2].map(() => ({ name: "y", dtype: "float32", dims: [1] })) },
      'expected each output once, got "y" twice',
    ],
    ["a domain without a version", { opsets: {} }, 'expected a version of the domain "", got none for Relu "relu"'],
  ])("refuses %s", (_, changes, message) => {
    expect(() => checkGraph(graph(changes))).toThrow(FormatError);
    expect(() => checkGraph(graph(changes))).toThrow(`graph "g": `);
    expect(() => checkGraph(graph(changes))).toThrow(message);
  });
});
