/**
 * @file One form for all graphs, before they are rewritten or differentiated: operators of version 18 or newer,
 * constants as initializers, nothing that does nothing, weights of their own where an exporter has merged equal ones,
 * and operators that are made of others written out.
 */
import { UnsupportedOpError } from "../../core/errors.ts";
import { float32, int64, type Tensor } from "../../tensor/tensor.ts";
import { type GraphBuilder, OPSET } from "../builder.ts";
import type { Graph, GraphNode, ValueName } from "../ir.ts";
import { findOperator } from "../ops/registry.ts";
import type { FloatType } from "../ops/writer.ts";
import { reopen } from "../reopen.ts";
import { type LiftContext, lift } from "./lift.ts";

/** The oldest version of the standard operators that is read. */
const OLDEST_OPSET = 7;

/**
 * The same function in normal form. Names of inputs, outputs and weights stay; those of values that were only copies go.
 * @throws UnsupportedOpError for operators older than version 7.
 */
export function normalise(graph: Graph): Graph {
  const opset = graph.opsets[""] ?? OPSET;
  if (opset < OLDEST_OPSET) {
    throw new UnsupportedOpError(`normalise: expected opset ${OLDEST_OPSET} or newer, got ${opset}.`);
  }
  const b = reopen(graph);
  b.useDomain("", Math.max(opset, OPSET));
  const constants = new Map(graph.initializers);
  // An output of the graph must be made by a node.
  const shown = new Set(graph.outputs.map(({ name }) => name));
  const copies = new Map<ValueName, ValueName>();
  const original = (value: ValueName): ValueName => copies.get(value) ?? value;
  const context: LiftContext = { b, opset, float: floatTypeOf(graph), constant: (value) => constants.get(value) };
  for (const raw of graph.nodes) {
    const node = { ...raw, inputs: raw.inputs.map(original) };
    const [input = "", output = ""] = [node.inputs[0], node.outputs[0]];
    const known = constantOf(node) ?? (node.op === "Identity" ? constants.get(input) : undefined);
    const value = shown.has(output) ? undefined : known;
    if (value !== undefined) constants.set(b.weight(output, value), value);
    else if (isCopy(node, constants, opset)) copies.set(output, input);
    else write(b, lift(node, context), opset);
  }
  for (const { name, dtype, dims } of graph.outputs) b.output(name, original(name), dtype, dims);
  return b.build(graph.name);
}

/** Writes a node, or what it is made of. */
function write(b: GraphBuilder, node: GraphNode, opset: number): void {
  const operator = findOperator(node.op, node.domain);
  const parts = operator !== undefined && "decompose" in operator ? operator.decompose(b, node, opset) : undefined;
  if (parts === undefined) {
    b.adopt(node);
    return;
  }
  for (const [i, output] of node.outputs.entries()) {
    const value = parts[i];
    if (output === "" || value === undefined) continue;
    b.adopt({ op: "Identity", domain: "", name: "", inputs: [value], outputs: [output], attributes: {} });
  }
}

/** The tensor in a Constant node; `undefined` for any other node, and for constants that are no numbers. */
function constantOf({ op, domain, attributes }: GraphNode): Tensor | undefined {
  if (op !== "Constant" || domain !== "") return undefined;
  const [attribute] = Object.values(attributes);
  switch (attribute?.kind) {
    case "tensor":
      return attribute.value;
    case "int":
      return int64([], [attribute.value]);
    case "ints":
      return int64([attribute.value.length], attribute.value);
    case "float":
      return float32([], [attribute.value]);
    case "floats":
      return float32([attribute.value.length], attribute.value);
    default:
      return undefined;
  }
}

/** Whether a node hands its input on: Identity, and Dropout outside training of which nobody takes the mask. */
function isCopy(node: GraphNode, constants: ReadonlyMap<ValueName, Tensor>, opset: number): boolean {
  if (node.domain !== "") return false;
  if (node.op === "Identity") return true;
  if (node.op !== "Dropout" || (node.outputs[1] ?? "") !== "") return false;
  const mode = node.inputs[2] ?? "";
  return opset < 12 || mode === "" || constants.get(mode)?.data[0] === 0;
}

/** The float type of the first input that has one. */
function floatTypeOf({ inputs }: Graph): FloatType {
  for (const { dtype } of inputs) {
    if (dtype === "float32" || dtype === "float64" || dtype === "float16") return dtype;
  }
  return "float32";
}
