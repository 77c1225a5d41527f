/** @file The last linear layer of a classifier's graph: what it reads, and its weights. */
import type { Graph, GraphNode, ValueName } from "../graph/ir.ts";
import { normalise } from "../graph/rewrite/normalise.ts";
import { type Float32Tensor, float32, type Tensor } from "../tensor/tensor.ts";

/** A linear layer. */
export interface LinearLayer {
  /** The value that it reads, D numbers an image. */
  readonly features: ValueName;
  /** float32 [K, D] */
  readonly weights: Float32Tensor;
  /** The initializers that belong to it: its weights and, where it has one, its bias. */
  readonly names: readonly ValueName[];
}

/** Operators between the layer and the scores that change no order of features. */
const BEHIND = ["Softmax", "LogSoftmax", "Reshape", "Flatten", "Identity", "Squeeze", "Cast"];

/**
 * The linear layer that makes an output: a Gemm, or a MatMul with or without a bias behind it.
 * @returns `undefined` where the output is made in another way.
 */
export function lastLinearLayer(graph: Graph, output: ValueName): LinearLayer | undefined {
  const { nodes, initializers } = normalise(graph);
  const maker = new Map(nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  const bias: ValueName[] = [];
  let node = maker.get(output);
  while (node !== undefined && node.domain === "") {
    const [first = "", second = ""] = node.inputs;
    if (node.op === "Gemm" || node.op === "MatMul") return layerOf(node, initializers, bias);
    if (node.op === "Add") {
      const isFirst = initializers.has(first);
      bias.push(isFirst ? first : second);
      node = maker.get(isFirst ? second : first);
    } else {
      node = BEHIND.includes(node.op) ? maker.get(first) : undefined;
    }
  }
  return undefined;
}

function layerOf(
  { op, inputs, attributes }: GraphNode,
  initializers: ReadonlyMap<ValueName, Tensor>,
  bias: readonly ValueName[],
): LinearLayer | undefined {
  const [features = "", name = "", own = ""] = inputs;
  const stored = initializers.get(name);
  const transposed = (key: string): boolean => attributes[key]?.kind === "int" && attributes[key].value === 1;
  const [rows = 0, columns = 0] = stored?.dims ?? [];
  if (stored?.dtype !== "float32" || stored.dims.length !== 2 || transposed("transA")) return undefined;
  const names = [name, ...(own === "" ? bias : [own])].filter((value) => initializers.has(value));
  if (op === "Gemm" && transposed("transB")) return { features, weights: stored, names };
  const turned = float32(
    [columns, rows],
    stored.data.map((_, i) => stored.data[(i % rows) * columns + Math.floor(i / rows)] ?? 0),
  );
  return { features, weights: turned, names };
}
