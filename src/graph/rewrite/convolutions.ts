/** @file Which convolutions of a graph may be rounded to 8 bits, and which should. */
import type { Graph, GraphNode, ValueName } from "../ir.ts";
import { valuesReadBy } from "../values-read.ts";

/** A convolution by what goes in and what comes out. */
export interface Convolution {
  readonly input: ValueName;
  readonly output: ValueName;
}

/** The input and output of a Conv. */
export function convolutionOf({ inputs: [input = ""], outputs: [output = ""] }: GraphNode): Convolution {
  return { input, output };
}

/** The Conv nodes that have constant weights and an input that is not: values follow from initializers, or do not. */
export function constantConvolutions({ initializers, nodes }: Graph): ReadonlySet<GraphNode> {
  const constant = new Set<ValueName>(initializers.keys());
  const found = new Set<GraphNode>();
  for (const node of nodes) {
    if ([...valuesReadBy(node)].every((name) => constant.has(name))) {
      for (const name of node.outputs) constant.add(name);
    }
    const [x = "", ...weights] = node.inputs;
    const isConv = node.op === "Conv" && node.domain === "";
    if (isConv && !constant.has(x) && weights.every((name) => name === "" || constant.has(name))) found.add(node);
  }
  return found;
}

/**
 * The convolutions between the first and the last on the way from the image (an input of four axes) to the outputs.
 * Those at the ends read the image and write the answer: rounding costs most there. Those that the image does not reach
 * work on one vector per image, such as its timestep: rounding gains nothing there, and costs at noise levels that
 * nobody has measured.
 */
export function innerConvolutions(graph: Graph): Convolution[] {
  const images = graph.inputs.filter(({ dims }) => dims?.length === 4).map(({ name }) => name);
  const shown = reached(graph.nodes, new Set(images));
  const convs = [...constantConvolutions(graph)].filter(({ inputs: [x = ""] }) => shown.has(x));
  const late = reached(graph.nodes, new Set(convs.flatMap(({ outputs }) => outputs)));
  const early = reaching(graph.nodes, new Set(convs.flatMap(({ inputs: [x = ""] }) => x)));
  return convs.map(convolutionOf).filter(({ input, output }) => late.has(input) && early.has(output));
}

/** Values that depend on some values, those included. */
function reached(nodes: readonly GraphNode[], from: ReadonlySet<ValueName>): ReadonlySet<ValueName> {
  const found = new Set(from);
  for (const node of nodes) {
    if ([...valuesReadBy(node)].some((name) => found.has(name))) for (const name of node.outputs) found.add(name);
  }
  return found;
}

/** Values that some values depend on, those included. */
function reaching(nodes: readonly GraphNode[], to: ReadonlySet<ValueName>): ReadonlySet<ValueName> {
  const found = new Set(to);
  for (const node of nodes.toReversed()) {
    if (node.outputs.some((name) => found.has(name))) for (const name of valuesReadBy(node)) found.add(name);
  }
  return found;
}
