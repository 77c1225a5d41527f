/**
 * @file Constant folding by probing: what follows from constants, and every shape of a fixed batch, is computed once by
 * the engine and stored. No operator has to be understood for it.
 */
import type { Tensor } from "../../tensor/tensor.ts";
import type { Facts } from "../facts.ts";
import type { Graph, GraphNode, ValueName } from "../ir.ts";
import { type RunModel, sampleTensor } from "../probe.ts";
import { reopen } from "../reopen.ts";
import { graphToBytes } from "../to-model.ts";
import { valuesReadBy } from "../values-read.ts";

/** Operators whose answer differs from run to run. */
const random = new Set([
  "RandomNormal",
  "RandomNormalLike",
  "RandomUniform",
  "RandomUniformLike",
  "Multinomial",
  "Bernoulli",
  "Dropout",
]);

/**
 * The graph at the dims of `facts` (its inputs get those), with everything constant computed.
 * @param keep initializers that will change, such as weights in training: what depends on them is not constant.
 * @param run runs the part that is folded, once, on samples of those dims.
 */
export async function fold(
  graph: Graph,
  { facts, run, keep = new Set() }: { facts: Facts; run: RunModel; keep?: ReadonlySet<ValueName> },
): Promise<Graph> {
  const folded = constantNodes(graph, keep);
  const values = await compute(graph, { facts, run, wanted: readElsewhere(graph, folded) });
  const b = reopen(graph, facts);
  for (const [name, value] of Object.entries(values)) b.weight(name, value);
  for (const node of graph.nodes) if (!folded.has(node)) b.adopt(node);
  for (const { name, dtype, dims } of graph.outputs) b.output(name, name, dtype, facts.get(name)?.dims ?? dims);
  return b.build(graph.name);
}

/** Nodes whose outputs are constant. Outputs of the graph are left to be computed: they have to be made by a node. */
function constantNodes({ initializers, nodes, outputs }: Graph, keep: ReadonlySet<ValueName>): ReadonlySet<GraphNode> {
  const shown = new Set(outputs.map(({ name }) => name));
  const constant = new Set([...initializers.keys()].filter((name) => !keep.has(name)));
  const folded = new Set<GraphNode>();
  for (const node of nodes) {
    const isShape = node.domain === "" && (node.op === "Shape" || node.op === "Size");
    if (!isShape && ![...valuesReadBy(node)].every((value) => constant.has(value))) continue;
    if (random.has(node.op) || node.outputs.some((output) => shown.has(output))) continue;
    folded.add(node);
    for (const output of node.outputs) constant.add(output);
  }
  return folded;
}

/** Outputs of folded nodes that others read. */
function readElsewhere({ nodes }: Graph, folded: ReadonlySet<GraphNode>): ValueName[] {
  const read = new Set(nodes.flatMap((node) => (folded.has(node) ? [] : [...valuesReadBy(node)])));
  return [...folded].flatMap(({ outputs }) => outputs.filter((output) => read.has(output)));
}

async function compute(
  graph: Graph,
  { facts, run, wanted }: { facts: Facts; run: RunModel; wanted: readonly ValueName[] },
): Promise<Readonly<Record<ValueName, Tensor>>> {
  if (wanted.length === 0) return {};
  const b = reopen(graph, facts);
  for (const node of graph.nodes) b.adopt(node);
  for (const name of wanted) b.output(name, name, facts.get(name)?.dtype ?? "float32");
  const part = b.build(graph.name);
  const feeds = part.inputs.map(({ name, dtype }) => [name, sampleTensor(dtype, facts.get(name)?.dims ?? [])] as const);
  return await run(graphToBytes(part), Object.fromEntries(feeds));
}
