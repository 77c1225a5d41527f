/**
 * @file Puts graphs together: a loss behind a classifier, a trigger in front of one, one model behind another. Names of
 * what was there stay as they are.
 */
import { OptionError } from "../../core/errors.ts";
import type { GraphBuilder } from "../builder.ts";
import type { Graph, GraphNode, ValueName } from "../ir.ts";
import { namesOf } from "../names.ts";
import { reopen } from "../reopen.ts";

/**
 * Writes nodes behind a graph. `write` reads any value of the graph by its name, and may add inputs and outputs.
 * @returns a graph with the outputs of the first, then those that `write` has named.
 */
export function append(graph: Graph, write: (b: GraphBuilder) => void): Graph {
  const b = reopen(graph);
  for (const node of graph.nodes) b.adopt(node);
  for (const { name, dtype, dims } of graph.outputs) b.output(name, name, dtype, dims);
  write(b);
  return b.build(graph.name);
}

/**
 * Writes nodes in front of an input, which is then no input any more: `write` makes its value, from new inputs or from
 * weights of its own.
 * @throws OptionError when the graph has no such input.
 */
export function prepend(graph: Graph, input: ValueName, write: (b: GraphBuilder) => ValueName): Graph {
  requireName("input", input, graph.inputs);
  const rest = { ...graph, inputs: graph.inputs.filter(({ name }) => name !== input) };
  const b = reopen(rest);
  const value = write(b);
  for (const node of graph.nodes) b.adopt(renameInputs(node, (name) => (name === input ? value : name)));
  for (const { name, dtype, dims } of graph.outputs) b.output(name, name === input ? value : name, dtype, dims);
  return b.build(graph.name);
}

/**
 * The second graph behind the first. What the second does not get from the first stays an input.
 * @param wires name of an input of the second graph → name of an output of the first. @returns a graph with the outputs
 * of both; values of the second that have a name of the first get a prime.
 * @throws OptionError when a wire has a loose end.
 */
export function compose(first: Graph, second: Graph, wires: Readonly<Record<ValueName, ValueName>>): Graph {
  for (const [input, output] of Object.entries(wires)) {
    requireName("input", input, second.inputs);
    requireName("output", output, first.outputs);
  }
  const renamed = distinctNames(first, second, wires);
  const rename = (name: ValueName): ValueName => renamed.get(name) ?? name;
  return append(first, (b) => {
    for (const [domain, version] of Object.entries(second.opsets)) {
      const other = first.opsets[domain];
      if (other !== undefined && other !== version) {
        throw new OptionError(
          `compose: expected graphs of one opset, got ${other} and ${version}. Do normalise both first.`,
        );
      }
      b.useDomain(domain, version);
    }
    for (const { name, dtype, dims } of second.inputs) {
      if (!Object.hasOwn(wires, name)) b.input(rename(name), dtype, dims);
    }
    for (const [name, value] of second.initializers) b.weight(rename(name), value);
    for (const node of second.nodes) {
      b.adopt({
        ...renameInputs(node, rename),
        name: Object.hasOwn(wires, node.name) ? "" : rename(node.name),
        outputs: node.outputs.map(rename),
      });
    }
    for (const { name, dtype, dims } of second.outputs) b.output(rename(name), rename(name), dtype, dims);
  });
}

/** New names for values of the second graph: those that it is wired to, and primed ones where the first has the same. */
function distinctNames(
  first: Graph,
  second: Graph,
  wires: Readonly<Record<ValueName, ValueName>>,
): ReadonlyMap<ValueName, ValueName> {
  const [theirs, own] = [namesOf(first), namesOf(second)];
  const taken = new Set([...theirs, ...own]);
  const renamed = new Map(Object.entries(wires));
  for (const name of own) {
    if (name === "" || renamed.has(name) || !theirs.has(name)) continue;
    let primed = `${name}'`;
    while (taken.has(primed)) primed += "'";
    taken.add(primed);
    renamed.set(name, primed);
  }
  return renamed;
}

/** Makes initializers inputs, so that they can change from run to run: weights in training. */
export function asInputs(graph: Graph, names: readonly ValueName[]): Graph {
  const initializers = new Map(graph.initializers);
  const inputs = names.map((name) => {
    const value = initializers.get(name);
    if (value === undefined) throw new OptionError(`graph: expected an initializer "${name}", got none of that name.`);
    initializers.delete(name);
    return { name, dtype: value.dtype, dims: value.dims };
  });
  return { ...graph, inputs: [...graph.inputs, ...inputs], initializers };
}

function renameInputs(node: GraphNode, rename: (name: ValueName) => ValueName): GraphNode {
  return { ...node, inputs: node.inputs.map(rename) };
}

function requireName(kind: "input" | "output", name: ValueName, known: Graph["inputs"]): void {
  if (known.some((value) => value.name === name)) return;
  const list = known.map((value) => `"${value.name}"`).join(", ");
  throw new OptionError(`graph: expected one of the ${kind}s ${list}, got "${name}".`);
}
