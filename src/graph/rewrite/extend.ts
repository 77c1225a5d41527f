/** @file Writes behind a graph of which everything is known, and keeps it so: only what is new is probed. */
import type { GraphBuilder } from "../builder.ts";
import { type Facts, factsAt } from "../facts.ts";
import type { Graph, GraphNode, GraphValue, ValueName } from "../ir.ts";
import { probe, type RunModel } from "../probe.ts";
import { valuesReadBy } from "../values-read.ts";
import { append } from "./compose.ts";
import type { Specialised } from "./specialise.ts";

/**
 * Writes nodes behind a specialised graph, such as a loss. `write` reads any value of the graph by its name, and may add
 * inputs of fixed dims, and outputs.
 */
export async function extend(
  { graph, facts }: Specialised,
  run: RunModel,
  write: (b: GraphBuilder) => void,
): Promise<Specialised> {
  const extended = append(graph, write);
  const known = new Set(graph.nodes.flatMap(({ outputs }) => outputs));
  const added = extended.nodes.filter(({ outputs }) => !outputs.some((output) => known.has(output)));
  if (added.length === 0) return { graph: extended, facts };
  const more = factsAt(await probe(newPart(extended, added, facts), run), 1);
  // What is new comes last: a name that folding has freed may be taken again.
  return { graph: extended, facts: new Map([...facts, ...more]) };
}

/** The added nodes as a graph of their own: what they read of the old ones is an input. */
function newPart(graph: Graph, added: readonly GraphNode[], facts: Facts): Graph {
  const made = new Set<ValueName>(added.flatMap(({ outputs }) => outputs));
  const read = [...new Set(added.flatMap((node) => [...valuesReadBy(node)]))];
  const initializers = new Map([...graph.initializers].filter(([name]) => read.includes(name)));
  const inputs = read.flatMap((name): GraphValue[] => {
    if (made.has(name) || initializers.has(name)) return [];
    const known = facts.get(name) ?? graph.inputs.find((input) => input.name === name);
    return known === undefined ? [] : [{ name, dtype: known.dtype, dims: known.dims }];
  });
  return { ...graph, inputs, outputs: [], initializers, nodes: added };
}
