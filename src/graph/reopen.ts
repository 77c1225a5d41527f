/** @file Opens a graph to be written anew. */
import { GraphBuilder } from "./builder.ts";
import type { Facts } from "./facts.ts";
import type { Graph } from "./ir.ts";
import { namesOf } from "./names.ts";

/**
 * A builder with the opsets, inputs and initializers of a graph, but none of its nodes, and with all its names reserved.
 * @param facts where given, inputs get the dims that are known of them.
 */
export function reopen(graph: Graph, facts?: Facts): GraphBuilder {
  const b = new GraphBuilder(namesOf(graph));
  for (const [domain, version] of Object.entries(graph.opsets)) b.useDomain(domain, version);
  for (const { name, dtype, dims } of graph.inputs) b.input(name, dtype, facts?.get(name)?.dims ?? dims);
  for (const [name, value] of graph.initializers) b.weight(name, value);
  return b;
}
