/**
 * @file A number for every channel of a parameter, which multiplies it: as nodes while they change, and worked into the
 * parameter when they do not change any more.
 */
import type { Graph, GraphNode, ValueName } from "../../graph/ir.ts";
import { namesOf } from "../../graph/names.ts";
import { reopen } from "../../graph/reopen.ts";
import { valuesReadBy } from "../../graph/values-read.ts";
import { type Float32Tensor, float32 } from "../../tensor/tensor.ts";
import type { ChannelParameter } from "./find-layers.ts";
import { multiplyInto } from "./kernels.ts";

/** A graph with multipliers. */
export interface Multiplied {
  readonly graph: Graph;
  /** The initializer of each parameter's multipliers, all ones: as many numbers as it has channels. */
  readonly names: readonly ValueName[];
}

/** The name of a multiplier. A model has other names. */
const MULTIPLIER = "untrigger.multiplier";

/** Puts a multiplication in front of every place where one of these parameters is read. */
export function withMultipliers(graph: Graph, parameters: readonly ChannelParameter[]): Multiplied {
  const b = reopen(graph);
  const names: ValueName[] = [];
  const moved = new Map<GraphNode, Map<number, ValueName>>();
  for (const [i, { value, axis, channels, places }] of parameters.entries()) {
    const rank = graph.initializers.get(value)?.dims.length ?? 1;
    const dims = Array.from({ length: rank }, (_, each) => (each === axis ? channels : 1));
    const name = b.weight(`${MULTIPLIER}.${i}`, float32(dims, new Float32Array(channels).fill(1)));
    names.push(name);
    const product = b.op("Mul", [value, name]);
    for (const place of places) move(moved, place, product);
  }
  for (const node of graph.nodes) b.adopt(rewired(node, moved));
  for (const { name, dtype, dims } of graph.outputs) b.output(name, name, dtype, dims);
  return { graph: b.build(graph.name), names };
}

/**
 * The graph with its parameters multiplied: the same nodes, other numbers.
 * @param values numbers for each channel of each parameter. Parameters that are also something else become two.
 */
export function foldMultipliers(
  graph: Graph,
  parameters: readonly ChannelParameter[],
  values: readonly Float32Array[],
): Graph {
  const initializers = new Map(graph.initializers);
  const taken = new Set(namesOf(graph));
  const moved = new Map<GraphNode, Map<number, ValueName>>();
  for (const [i, { value, axis, places }] of parameters.entries()) {
    const stored = initializers.get(value);
    const factors = values[i];
    if (stored?.dtype !== "float32" || factors === undefined || factors.every((factor) => factor === 1)) continue;
    let name = value;
    if (isReadElsewhere(graph, value, places)) {
      while (taken.has(name)) name += "'";
      taken.add(name);
      for (const place of places) move(moved, place, name);
    }
    initializers.set(name, multiplied(stored, axis, factors));
  }
  const b = reopen({ ...graph, initializers });
  for (const node of graph.nodes) b.adopt(rewired(node, moved));
  for (const { name, dtype, dims } of graph.outputs) b.output(name, name, dtype, dims);
  return b.build(graph.name);
}

function multiplied({ dims, data }: Float32Tensor, axis: number, factors: Float32Array): Float32Tensor {
  const inner = dims.slice(axis + 1).reduce((product, dim) => product * dim, 1);
  const result = data.slice();
  multiplyInto(result, factors, inner);
  return float32(dims, result);
}

function isReadElsewhere({ nodes, outputs }: Graph, value: ValueName, places: ChannelParameter["places"]): boolean {
  const isPlace = (node: GraphNode, input: number): boolean =>
    places.some((place) => place.node === node && place.input === input);
  const reads = (node: GraphNode): boolean =>
    node.inputs.some((name, input) => name === value && !isPlace(node, input)) ||
    (!node.inputs.includes(value) && valuesReadBy(node).has(value));
  return nodes.some(reads) || outputs.some(({ name }) => name === value);
}

function move(
  moved: Map<GraphNode, Map<number, ValueName>>,
  { node, input }: ChannelParameter["places"][number],
  to: ValueName,
): void {
  moved.set(node, (moved.get(node) ?? new Map<number, ValueName>()).set(input, to));
}

function rewired(node: GraphNode, moved: ReadonlyMap<GraphNode, ReadonlyMap<number, ValueName>>): GraphNode {
  const changes = moved.get(node);
  return changes === undefined ? node : { ...node, inputs: node.inputs.map((name, i) => changes.get(i) ?? name) };
}
