/**
 * @file A network as it is used, whatever mode it was exported in: normalisations by their stored statistics, nothing
 * dropped at random, and every stored statistic in a place of its own.
 */
import { isConstantName } from "../graph/builder.ts";
import type { Graph, GraphNode, ValueName } from "../graph/ir.ts";
import { namesOf } from "../graph/names.ts";
import { normalise } from "../graph/rewrite/normalise.ts";
import { valuesReadBy } from "../graph/values-read.ts";

/** Puts a network into the mode in which it is used. @returns it normalised. */
export function inferenceForm(graph: Graph): Graph {
  const normal = normalise(graph);
  const read = readBy(normal);
  const nodes = normal.nodes.map((node) => inUse(node, read));
  // Without its mode a Dropout is a copy, which a second look takes out.
  return withOwnStatistics(normalise({ ...normal, nodes }));
}

function inUse(node: GraphNode, read: ReadonlySet<ValueName>): GraphNode {
  if (node.domain !== "") return node;
  if (node.op === "Dropout") {
    const hasReadMask = read.has(node.outputs[1] ?? "");
    return { ...node, inputs: node.inputs.slice(0, 2), outputs: node.outputs.slice(0, hasReadMask ? 2 : 1) };
  }
  if (node.op !== "BatchNormalization" || node.outputs.slice(1).some((output) => read.has(output))) return node;
  const { training_mode: _, ...attributes } = node.attributes;
  return { ...node, outputs: node.outputs.slice(0, 1), attributes };
}

/**
 * Gives normalisations copies of statistics that are also something else: tools that merge equal tensors make the zeros
 * of a fresh running mean one initializer with the zeros of a bias. Normalisations that share mean and variance both are
 * one layer used twice, and keep sharing them.
 */
function withOwnStatistics(graph: Graph): Graph {
  const roles = new Map<ValueName, Set<string>>();
  for (const node of graph.nodes) {
    for (const [i, value] of node.inputs.entries()) {
      roles.set(value, (roles.get(value) ?? new Set()).add(roleOf(node, i)));
    }
  }
  const taken = new Set(namesOf(graph));
  const initializers = new Map(graph.initializers);
  const own = (node: GraphNode, i: number): ValueName => {
    const value = node.inputs[i] ?? "";
    const tensor = initializers.get(value);
    // Constants of a builder never learn, so they may be shared.
    if (tensor === undefined || isConstantName(value) || (roles.get(value)?.size ?? 0) < 2) return value;
    let name = `${value}.${i === 3 ? "mean" : "variance"}`;
    while (taken.has(name)) name += "'";
    taken.add(name);
    initializers.set(name, tensor);
    return name;
  };
  const nodes = graph.nodes.map((node) =>
    isBatchNorm(node) ? { ...node, inputs: [...node.inputs.slice(0, 3), own(node, 3), own(node, 4)] } : node,
  );
  return { ...graph, nodes, initializers };
}

/** What a node reads its i-th input as: two that read a value in one role may share it. */
function roleOf(node: GraphNode, i: number): string {
  const [, , , mean, variance] = node.inputs;
  return isBatchNorm(node) && i > 2 ? `${i === 3 ? "mean" : "variance"} of ${mean} and ${variance}` : "value";
}

/** Whether a node normalises by stored statistics. */
export function isBatchNorm({ op, domain }: GraphNode): boolean {
  return op === "BatchNormalization" && domain === "";
}

function readBy({ nodes, outputs }: Graph): ReadonlySet<ValueName> {
  return new Set([...nodes.flatMap((node) => [...valuesReadBy(node)]), ...outputs.map(({ name }) => name)]);
}
