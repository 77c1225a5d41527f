/** @file Puts nodes behind what they read, and refuses graphs in which that cannot be. */
import { FormatError } from "../core/errors.ts";
import type { Graph, GraphNode, ValueName } from "./ir.ts";
import { valuesReadBy } from "./values-read.ts";

/**
 * Nodes in an order in which each comes after those that it reads from; sorted nodes keep their order.
 * @throws FormatError when nodes read from each other in a circle.
 */
export function sortNodes(nodes: readonly GraphNode[]): GraphNode[] {
  const makers = new Map<ValueName, GraphNode>();
  for (const node of nodes) for (const output of node.outputs) makers.set(output, node);
  const sorted: GraphNode[] = [];
  const state = new Map<GraphNode, "waiting" | "done">();
  // A stack of its own: a chain of a hundred thousand nodes would overflow the call stack.
  const stack = [...nodes].reverse();
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (state.get(node) === "done") continue;
    if (state.get(node) === "waiting") {
      state.set(node, "done");
      sorted.push(node);
      continue;
    }
    state.set(node, "waiting");
    stack.push(node);
    for (const name of [...valuesReadBy(node)].reverse()) {
      const maker = makers.get(name);
      if (maker === undefined || state.get(maker) === "done") continue;
      if (state.get(maker) === "waiting") {
        throw new FormatError(`graph: expected nodes in some order, got a circle through ${labelOf(maker)}.`);
      }
      stack.push(maker);
    }
  }
  return sorted;
}

/**
 * Checks that every name means exactly one value, defined before it is read.
 * @throws FormatError that names the node and the value.
 */
export function checkGraph({ name, inputs, outputs, initializers, nodes, opsets }: Graph): void {
  const what = `graph "${name}"`;
  const defined = new Set<ValueName>(initializers.keys());
  for (const input of inputs) define(input.name, "an input");
  for (const node of nodes) {
    for (const value of valuesReadBy(node)) {
      if (!defined.has(value)) {
        throw new FormatError(`${what}: expected a value "${value}" before ${labelOf(node)}, got none of that name.`);
      }
    }
    if (!Object.hasOwn(opsets, node.domain)) {
      throw new FormatError(
        `${what}: expected a version of the domain "${node.domain}", got none for ${labelOf(node)}.`,
      );
    }
    for (const output of node.outputs) if (output !== "") define(output, labelOf(node));
  }
  const named = new Set<ValueName>();
  for (const output of outputs) {
    if (!defined.has(output.name)) {
      throw new FormatError(`${what}: expected a value for the output "${output.name}", got none of that name.`);
    }
    if (named.has(output.name)) {
      throw new FormatError(`${what}: expected each output once, got "${output.name}" twice.`);
    }
    named.add(output.name);
  }

  function define(value: ValueName, by: string): void {
    if (defined.has(value)) {
      throw new FormatError(`${what}: expected one definition of "${value}", got another by ${by}.`);
    }
    defined.add(value);
  }
}

function labelOf({ op, name }: GraphNode): string {
  return name === "" ? op : `${op} "${name}"`;
}
