/** @file A graph that shows, beside its answer, the smallest and the largest number in some of its values. */
import { int, ints } from "../builder.ts";
import type { Graph, GraphNode, GraphValue, ValueName } from "../ir.ts";
import { checkGraph } from "../order.ts";

/** What the added outputs of a value are called: [N] each, one number for every row. */
export function extremesOf(value: ValueName): { readonly min: ValueName; readonly max: ValueName } {
  return { min: `${value}/extremes/min`, max: `${value}/extremes/max` };
}

/**
 * Adds the outputs of {@link extremesOf} for each value; the graph's own come first, as they were.
 * @param values names of float32 values [N, …] of at least two axes.
 * @throws FormatError when the graph already has values with the names of the new ones.
 */
export function withExtremes(graph: Graph, values: readonly ValueName[]): Graph {
  const axis = "extremes/axis";
  const old = (graph.opsets[""] ?? 0) < 18;
  const nodes: GraphNode[] = [...graph.nodes];
  const outputs: GraphValue[] = [...graph.outputs];
  for (const value of values) {
    const { min, max } = extremesOf(value);
    const rows = `${value}/extremes/rows`;
    nodes.push(nodeOf("Flatten", [value], rows, { axis: int(1) }));
    for (const [op, output] of [
      ["ReduceMin", min],
      ["ReduceMax", max],
    ] as const) {
      nodes.push(old ? nodeOf(op, [rows], output, { axes: ints(1), ...flat }) : nodeOf(op, [rows, axis], output, flat));
      outputs.push({ name: output, dtype: "float32", dims: undefined });
    }
  }
  const initializers = new Map(graph.initializers);
  // In opset 18 the axes of reductions became an input.
  if (!old) initializers.set(axis, { dtype: "int64", dims: [1], data: BigInt64Array.of(1n) });
  const wider = { ...graph, initializers, nodes, outputs };
  checkGraph(wider);
  return wider;
}

const flat = { keepdims: int(0) };

function nodeOf(
  op: string,
  inputs: readonly ValueName[],
  output: ValueName,
  attributes: GraphNode["attributes"],
): GraphNode {
  return { op, domain: "", name: output, inputs, outputs: [output], attributes };
}
