/**
 * @file Reverse-mode differentiation: a graph that also computes gradients. Read it top to bottom:
 * 1. mark the values that depend on what is differentiated by;
 * 2. copy the graph, and let operators keep what their gradients will use;
 * 3. walk the nodes from last to first: each hands the gradients of its outputs on to its inputs, and what reaches a
 *    value from several sides is summed;
 * 4. name the results. Whatever nobody reads is pruned.
 * Rules are in `ops/`, one record an operator, and write ordinary nodes: the result can be differentiated again.
 * @source Griewank & Walther, "Evaluating Derivatives", 2nd ed. 2008, section 3.2 (incremental adjoint recursion).
 */
import { OptionError, UnsupportedOpError } from "../core/errors.ts";
import { formatDims } from "../tensor/shape.ts";
import { OPSET } from "./builder.ts";
import type { Fact, Facts } from "./facts.ts";
import type { Graph, GraphNode, ValueName } from "./ir.ts";
import { labelOf } from "./names.ts";
import { findRule } from "./ops/registry.ts";
import { type Backward, type Surroundings, siteOf } from "./ops/site.ts";
import { type FloatType, Writer } from "./ops/writer.ts";
import { reopen } from "./reopen.ts";
import { joinGroupNorms } from "./rewrite/group-norms.ts";

/** What is differentiated by what. */
export interface GradientRequest {
  /**
   * Values whose gradient is known, with it: a number that is the same everywhere (1 for a loss), or the name of a new
   * input with the value's dims. Gradients are those of `sum over seeds of sum(value * seed)`.
   */
  readonly seeds: Readonly<Record<ValueName, number | string>>;
  /** Inputs, weights or intermediate values. */
  readonly wrt: readonly ValueName[];
  /**
   * What `channelBlock` found: convolutions whose weights are differentiated by are then written in the engine's own
   * layout, which is quicker. The result runs on that engine and processor alone, and has no gradient itself.
   */
  readonly channelBlock?: number | undefined;
}

/** The name of the output that holds the gradient of a value. */
export function gradientName(value: ValueName): string {
  return `grad.${value}`;
}

/**
 * The graph with one more output for each value of `wrt`: its gradient, of its dims; zeros where it does not matter.
 * @param given normalised to {@link OPSET} or newer, of a fixed batch (`rewrite/specialise.ts` makes it so).
 * @param facts type and dims of every value.
 * @throws UnsupportedOpError when an operator between a seed and `wrt` has no rule; OptionError when a name is unknown
 * or no seed depends on any of `wrt`.
 */
export function differentiate(given: Graph, { seeds, wrt, channelBlock }: GradientRequest, facts: Facts): Graph {
  const version = given.opsets[""] ?? 0;
  if (version < OPSET) {
    throw new OptionError(
      `differentiate: expected opset ${OPSET} or newer, got ${version}. Do normalise the graph first.`,
    );
  }
  for (const name of [...wrt, ...Object.keys(seeds)]) requireFloat(name, facts);

  const active = dependents(given, wrt);
  const graph = joinGroupNorms(given, facts, { active, named: new Set([...wrt, ...Object.keys(seeds)]) });
  const builder = reopen(graph, facts);
  const producers = new Map(graph.nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)));
  const around: Surroundings = {
    builder,
    facts,
    isActive: (value) => active.has(value),
    channelBlock,
    initializer: (value) => graph.initializers.get(value),
    producer: (value) => (wrt.includes(value) ? undefined : producers.get(value)),
  };

  const saved = new Map<GraphNode, readonly ValueName[]>();
  for (const node of graph.nodes) saved.set(node, writeForward(node, around));

  const gradients = new Map<ValueName, ValueName>();
  const accumulate = (value: ValueName, gradient: ValueName): void => {
    const sum = gradients.get(value);
    gradients.set(value, sum === undefined ? gradient : builder.op("Add", [sum, gradient]));
  };
  for (const [value, seed] of Object.entries(seeds)) {
    const { dtype, dims } = requireFloat(value, facts);
    accumulate(
      value,
      typeof seed === "string" ? builder.input(seed, dtype, dims) : new Writer(builder, dtype).filled(dims, seed),
    );
  }
  if (![...gradients.keys()].some((value) => active.has(value))) throw noPath(graph, { seeds, wrt });

  for (const node of [...graph.nodes].reverse()) {
    const dys = node.outputs.map((output) => gradients.get(output));
    if (dys.every((dy) => dy === undefined) || !node.outputs.some((output) => active.has(output))) continue;
    const dxs = inputGradients(node, around, { saved: saved.get(node) ?? [], dys });
    for (const [i, value] of node.inputs.entries()) {
      const dx = dxs[i];
      if (dx !== undefined && value !== "" && active.has(value)) accumulate(value, dx);
    }
  }

  for (const { name, dtype, dims } of graph.outputs) {
    builder.output(name, name, dtype, facts.get(name)?.dims ?? dims);
  }
  for (const value of wrt) {
    const { dtype, dims } = requireFloat(value, facts);
    builder.output(gradientName(value), gradients.get(value) ?? new Writer(builder, dtype).filled(dims), dtype, dims);
  }
  return builder.build(graph.name);
}

/** Every value that depends on given ones in a way that can be differentiated. */
function dependents({ nodes }: Graph, wrt: readonly ValueName[]): Set<ValueName> {
  const active = new Set(wrt);
  for (const { op, domain, inputs, outputs } of nodes) {
    if (findRule(op, domain)?.vjp === "none" || !inputs.some((input) => active.has(input))) continue;
    for (const output of outputs) if (output !== "") active.add(output);
  }
  return active;
}

/** Copies a node, or writes it so that its gradient is cheap. @returns what its gradient will use. */
function writeForward(node: GraphNode, around: Surroundings): readonly ValueName[] {
  const { builder, isActive } = around;
  const forward = node.outputs.some(isActive) ? findRule(node.op, node.domain)?.forward : undefined;
  const better = forward?.(siteOf(node, around, { saved: [], dys: [] }));
  if (better === undefined) {
    builder.adopt(node);
    return [];
  }
  for (const [i, output] of node.outputs.entries()) {
    const value = better.outputs[i];
    if (output === "" || value === undefined) continue;
    builder.adopt({ op: "Identity", domain: "", name: "", inputs: [value], outputs: [output], attributes: {} });
  }
  return better.saved;
}

/** Gradients of a node's inputs, by its rule. */
function inputGradients(node: GraphNode, around: Surroundings, backward: Backward): readonly (ValueName | undefined)[] {
  const vjp = findRule(node.op, node.domain)?.vjp;
  if (vjp === undefined) throw noRule(node);
  if (vjp === "none") return [];
  const site = siteOf(node, around, backward);
  return vjp(site, backward.dys[0] ?? site.w.filled(site.outDims()));
}

function requireFloat(value: ValueName, facts: Facts): Fact & { dtype: FloatType } {
  const fact = facts.get(value);
  if (fact === undefined) throw new OptionError(`differentiate: expected a value of the graph, got "${value}".`);
  const { dtype, dims } = fact;
  if (dtype === "float32" || dtype === "float64" || dtype === "float16") return { dtype, dims };
  throw new OptionError(
    `differentiate: expected a value of floats, got "${value}" of type ${dtype} and dims ${formatDims(dims)}.`,
  );
}

function noRule(node: GraphNode): UnsupportedOpError {
  const advice =
    node.domain === "ai.onnx.ml"
      ? "Do train a network: operators of tables (scikit-learn) have no gradients"
      : "Do export the model without it, at a lower opset, or before a tool optimises it for one runtime";
  return new UnsupportedOpError(
    `differentiate: expected a gradient rule for each operator on the path, got none for ${labelOf(node)} of the domain "${node.domain || "ai.onnx"}". ${advice}.`,
  );
}

/** The refusal when nothing depends on `wrt`, with the operator at which all paths end. */
function noPath({ nodes }: Graph, { seeds, wrt }: GradientRequest): OptionError {
  const reached = new Set(wrt);
  const wall = nodes.find(({ op, domain, inputs, outputs }) => {
    if (!inputs.some((input) => reached.has(input))) return false;
    if (findRule(op, domain)?.vjp === "none" && op !== "Shape" && op !== "Size") return true;
    for (const output of outputs) reached.add(output);
    return false;
  });
  const reason = wall === undefined ? "" : `; because no gradient passes ${labelOf(wall)}`;
  return new OptionError(
    `differentiate: expected ${Object.keys(seeds).join(", ")} to depend on ${wrt.join(", ")}, got no path${reason}.`,
  );
}
