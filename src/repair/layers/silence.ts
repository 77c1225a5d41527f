/** @file Layers some of whose channels say the same to every image: their mean. */
import type { Graph, GraphNode, ValueName } from "../../graph/ir.ts";
import { namesOf } from "../../graph/names.ts";
import { reopen } from "../../graph/reopen.ts";
import { float32 } from "../../tensor/tensor.ts";
import type { Layer } from "./find-layers.ts";
import { foldMultipliers } from "./multipliers.ts";

/** Which channels of a layer go on, as ones among zeros, and what the others say. */
export interface Silence {
  readonly kept: Float32Array;
  readonly mean: Float32Array;
}

/**
 * Silences channels: their weights become zero and their bias the mean. A convolution or Gemm without a bias gets one; a
 * MatMul without one gets an Add, the only node that this may cost.
 */
export function silence(graph: Graph, layers: readonly Layer[], silences: readonly Silence[]): Graph {
  const cut = [...layers.entries()].filter(([i]) => silences[i]?.kept.some((one) => one === 0) ?? false);
  const b = reopen(graph);
  const taken = new Set(namesOf(graph));
  const moved = new Map<GraphNode, { readonly input: number; readonly bias: ValueName }>();
  const added = new Map<GraphNode, ValueName>();
  for (const [i, { scale, shift, nodes }] of cut) {
    const { kept, mean } = silences[i] ?? { kept: new Float32Array(0), mean: new Float32Array(0) };
    const stored = shift === undefined ? undefined : graph.initializers.get(shift.value);
    const old = stored?.dtype === "float32" ? stored : float32([scale.channels]);
    const bias = kept.map((one, channel) => (one === 0 ? (mean[channel] ?? 0) : (old.data[channel] ?? 0)));
    let name = `${shift?.value ?? scale.value}.silenced`;
    while (taken.has(name)) name += "'";
    taken.add(name);
    b.weight(name, float32(old.dims, bias));
    for (const { node, input } of shift?.places ?? []) moved.set(node, { input, bias: name });
    if (shift !== undefined) continue;
    for (const node of nodes) {
      if (node.op === "MatMul") added.set(node, name);
      else moved.set(node, { input: 2, bias: name });
    }
  }
  const rewritten = new Map<GraphNode, GraphNode>();
  const renamed = new Map<ValueName, ValueName>();
  for (const node of graph.nodes) {
    const change = moved.get(node);
    const inputs = node.inputs.map((name) => renamed.get(name) ?? name);
    if (change !== undefined) inputs[change.input] = change.bias;
    const next = { ...node, inputs };
    rewritten.set(node, next);
    b.adopt(next);
    const bias = added.get(node);
    const [output = ""] = node.outputs;
    if (bias !== undefined) renamed.set(output, b.op("Add", [output, bias]));
  }
  for (const { name, dtype, dims } of graph.outputs) b.output(name, name, dtype, dims);
  const scales = cut.map(([, { scale }]) => ({
    ...scale,
    places: scale.places.map(({ node, input }) => ({ node: rewritten.get(node) ?? node, input })),
  }));
  return foldMultipliers(
    b.build(graph.name),
    scales,
    cut.map(([i]) => silences[i]?.kept ?? new Float32Array(0)),
  );
}
