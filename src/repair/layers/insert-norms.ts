/**
 * @file Normalisations behind layers that have none, for networks whose exporter has folded them away and for those that
 * never had any. Each does nothing as long as nobody disturbs it: it multiplies by the deviation that it divides by.
 */
import { float, ints } from "../../graph/builder.ts";
import type { Graph, GraphNode, ValueName } from "../../graph/ir.ts";
import { reopen } from "../../graph/reopen.ts";
import { float32 } from "../../tensor/tensor.ts";
import type { OutputStatistics } from "./channel-statistics.ts";
import type { Layer } from "./find-layers.ts";

/** A graph with normalisations. */
export interface Normalised {
  readonly graph: Graph;
  /** The initializer of each normalisation's scale, by layer. */
  readonly scales: readonly ValueName[];
}

const EPSILON = 1e-5;

/** Puts a normalisation behind every layer. @param statistics of what each layer writes. */
export function insertNorms(
  graph: Graph,
  layers: readonly Layer[],
  statistics: readonly OutputStatistics[],
): Normalised {
  const b = reopen(graph);
  const behind = new Map<ValueName, (value: ValueName) => ValueName>();
  const scales = layers.map(({ outputs, axis }, i): ValueName => {
    const { mean = new Float32Array(0), variance = new Float32Array(0), rank = 2 } = statistics[i] ?? {};
    const vector = (part: string, values: Float32Array): ValueName =>
      b.weight(`untrigger.norm.${i}.${part}`, float32([values.length], values));
    const parts = [
      vector(
        "scale",
        variance.map((value) => Math.sqrt(value + EPSILON)),
      ),
      vector("shift", mean),
      vector("mean", mean),
      vector("variance", variance),
    ];
    const norm = (value: ValueName): ValueName =>
      b.op("BatchNormalization", [value, ...parts], { epsilon: float(EPSILON) });
    // Channels must be the second axis.
    const [toSecond, back] = turns(rank);
    const turned = (value: ValueName): ValueName =>
      b.op("Transpose", [norm(b.op("Transpose", [value], { perm: ints(...toSecond) }))], { perm: ints(...back) });
    for (const output of outputs) behind.set(output, axis === "last" && rank > 2 ? turned : norm);
    return parts[0] ?? "";
  });
  const renamed = new Map<ValueName, ValueName>();
  for (const node of graph.nodes) {
    b.adopt(reading(node, renamed));
    for (const output of node.outputs) {
      const write = behind.get(output);
      if (write !== undefined) renamed.set(output, write(output));
    }
  }
  for (const { name, dtype, dims } of graph.outputs) b.output(name, name, dtype, dims);
  return { graph: b.build(graph.name), scales };
}

/** The last axis to the second place, and back. */
function turns(rank: number): readonly [readonly number[], readonly number[]] {
  const between = Array.from({ length: Math.max(0, rank - 2) }, (_, i) => i);
  return [
    [0, rank - 1, ...between.map((i) => i + 1)],
    [0, ...between.map((i) => i + 2), 1],
  ];
}

function reading(node: GraphNode, renamed: ReadonlyMap<ValueName, ValueName>): GraphNode {
  return { ...node, inputs: node.inputs.map((name) => renamed.get(name) ?? name) };
}
