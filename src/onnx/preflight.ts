/**
 * @file What ONNX Runtime does not survive: malformed models on which it ends the whole process instead of answering
 * with an error. They come from strangers, so they are looked for before a model is loaded. Seen with 1.30.
 */
import { FormatError } from "../core/errors.ts";
import type { GraphProto, ModelProto, NodeProto } from "./schema.ts";

/** More axes than any image has. From 41 scales for an input of unknown axes on, the engine overwrites its own stack. */
const MOST_AXES = 8;

/**
 * Refuses models that end the process that runs them. What is computed at run time is not seen.
 * @throws FormatError for a Resize with more scales than its input has axes; for a Range whose values are an output and
 * also what a Gather takes: the engine joins those two, and then writes an output that is not there.
 */
export function preflight({ graph }: ModelProto): void {
  if (graph === undefined) return;
  for (const part of graphsOf(graph)) for (const node of part.node) checkScales(node, part);
  checkShownRanges(graph);
}

/** A graph and the bodies of its If, Loop and Scan nodes. */
function* graphsOf(graph: GraphProto): Generator<GraphProto> {
  yield graph;
  for (const { attribute } of graph.node) {
    for (const { g, graphs } of attribute) for (const body of g ? [g, ...graphs] : graphs) yield* graphsOf(body);
  }
}

function checkScales(node: NodeProto, graph: GraphProto): void {
  if (!isOp(node, "Resize") && !isOp(node, "Upsample")) return;
  const [x = "", second = "", third = ""] = node.input;
  const scales = node.opType === "Resize" && node.input.length > 2 ? third : second;
  const count = lengthOf(scales, graph);
  if (count === undefined) return;
  const named = node.attribute.find(({ name }) => name === "axes")?.ints.length ?? 0;
  const axes = named > 0 ? named : rankOf(x, graph);
  if (count <= (axes ?? MOST_AXES)) return;
  const expected = axes === undefined ? `one scale for each axis, at most ${MOST_AXES}` : `${axes} scales`;
  throw new FormatError(
    `model: expected ${expected}, got ${count} in "${scales}" at ${node.opType} "${node.name}"; because the engine ends the process on such models.`,
  );
}

function checkShownRanges({ node: nodes, output }: GraphProto): void {
  const shown = new Set(output.map(({ name }) => name));
  for (const range of nodes) {
    const [values = ""] = range.output;
    if (!isOp(range, "Range") || !shown.has(values)) continue;
    const gather = nodes.find((node) => isOp(node, "Gather") && node.input[1] === values);
    if (gather === undefined) continue;
    throw new FormatError(
      `model: expected a Range that is not an output, got "${values}", which Gather "${gather.name}" takes too; because the engine ends the process on such models. Do export the model without that output.`,
    );
  }
}

function isOp({ opType, domain }: NodeProto, name: string): boolean {
  return opType === name && (domain === "" || domain === "ai.onnx");
}

/** How many numbers a vector has, where the file says so. */
function lengthOf(name: string, graph: GraphProto): number | undefined {
  const constant = graph.node.find(({ opType, output }) => opType === "Constant" && output[0] === name)?.attribute[0];
  const tensor = graph.initializer.find((initializer) => initializer.name === name) ?? constant?.t;
  if (tensor !== undefined) return tensor.dims.reduce((product, dim) => product * Number(dim), 1);
  if (constant !== undefined && constant.floats.length > 0) return constant.floats.length;
  const [only, ...others] = dimsOf(name, graph) ?? [];
  return only?.case === "dimValue" && others.length === 0 ? Number(only.value) : undefined;
}

function rankOf(name: string, graph: GraphProto): number | undefined {
  return dimsOf(name, graph)?.length;
}

/** The dims that a graph states of a value. */
function dimsOf(name: string, { input, valueInfo, output }: GraphProto) {
  const type = [...input, ...valueInfo, ...output].find((value) => value.name === name)?.type?.value;
  return type?.case === "tensorType" ? type.value.shape?.dim.map(({ value }) => value) : undefined;
}
