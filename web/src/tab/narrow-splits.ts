/**
 * @file Models as WebGPU takes them: a shader there has at most ten buffers on common devices, and ONNX Runtime gives one
 * to the input and to each output of a Split. A Split into more becomes a Split of Splits, with the same outputs.
 */
import { type GraphNode, graphFromModel, graphToBytes } from "untrigger/graph";
import { decodeModel } from "untrigger/onnx";
import type { Tensor } from "untrigger/tensor";

/** Outputs of one Split at most: the specification promises eight buffers. */
const MOST_OUTPUTS = 7;

/** The model with no Split of more outputs than that, as far as their sizes are written in it. */
export function narrowSplits(model: Uint8Array): Uint8Array {
  const graph = graphFromModel(decodeModel(model));
  const initializers = new Map(graph.initializers);
  const nodes = graph.nodes.flatMap((node) => narrowed(node, initializers));
  return nodes.length === graph.nodes.length ? model : graphToBytes({ ...graph, initializers, nodes });
}

function narrowed(node: GraphNode, initializers: Map<string, Tensor>): readonly GraphNode[] {
  const [x = "", sizesName = ""] = node.inputs;
  const sizes = initializers.get(sizesName);
  if (node.op !== "Split" || node.outputs.length <= MOST_OUTPUTS || sizes?.dtype !== "int64") return [node];
  const groups: { readonly name: string; readonly outputs: readonly string[]; readonly sizes: BigInt64Array }[] = [];
  for (let at = 0; at < node.outputs.length; at += MOST_OUTPUTS) {
    const outputs = node.outputs.slice(at, at + MOST_OUTPUTS);
    groups.push({ name: `${node.outputs[at]}/group`, outputs, sizes: sizes.data.slice(at, at + MOST_OUTPUTS) });
  }
  const split = (input: string, name: string, outputs: readonly string[], by: BigInt64Array): GraphNode => {
    initializers.set(`${name}/sizes`, { dtype: "int64", dims: [by.length], data: by });
    return { ...node, name, inputs: [input, `${name}/sizes`], outputs };
  };
  const sums = BigInt64Array.from(groups, (group) => group.sizes.reduce((sum, size) => sum + size, 0n));
  const names = groups.map(({ name }) => name);
  return [
    ...narrowed(split(x, `${node.outputs[0]}/groups`, names, sums), initializers),
    ...groups.map((group) => split(group.name, `${group.name}/split`, group.outputs, group.sizes)),
  ];
}
