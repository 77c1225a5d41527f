/** @file The names in a graph. */
import type { Graph, GraphNode, ValueName } from "./ir.ts";

/** Every name that a value or a node of the graph has: engines want both kinds unique. */
export function namesOf({ inputs, initializers, nodes, outputs }: Graph): ReadonlySet<ValueName> {
  return new Set([
    ...inputs.map(({ name }) => name),
    ...initializers.keys(),
    ...nodes.flatMap(({ name, outputs: values }) => [name, ...values]),
    ...outputs.map(({ name }) => name),
  ]);
}

/** `Conv "layer1.conv"`, with the domain where it is not the standard one; for messages. */
export function labelOf({ op, name, domain }: GraphNode): string {
  return `${domain === "" ? op : `${domain}.${op}`} "${name}"`;
}
