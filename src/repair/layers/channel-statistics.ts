/** @file What channels inside a network are like on clean images: how strong, around which mean. */
import type { Graph } from "../../graph/ir.ts";
import type { Float32Tensor } from "../../tensor/tensor.ts";
import type { ClassifierNet } from "../../training/train-classifier.ts";
import type { Layer } from "./find-layers.ts";
import { addMagnitudesInto, addMomentsInto } from "./kernels.ts";
import { type ShownValues, showValues } from "./show-values.ts";

/** Mean and variance of every channel that a layer writes, over images and places. */
export interface OutputStatistics {
  readonly mean: Float32Array;
  readonly variance: Float32Array;
  /** Axes of what it writes, the batch among them. */
  readonly rank: number;
}

/** Where the images come from, and what runs the network. */
type Run = Omit<ShownValues, "values">;

/** Statistics of what layers write, of one layer after the other. @throws what {@link showValues} throws. */
export async function outputStatistics(
  net: ClassifierNet,
  graph: Graph,
  layers: readonly Layer[],
  run: Run,
): Promise<OutputStatistics[]> {
  const found = layers.map(({ scale: { channels } }) => {
    return { sums: new Float64Array(channels), squares: new Float64Array(channels), count: 0, rank: 2 };
  });
  const owners = new Map(layers.flatMap(({ outputs, axis }, i) => outputs.map((name) => [name, { i, axis }] as const)));
  await showValues(net, graph, { ...run, values: [...owners.keys()] }, (name, value) => {
    const owner = owners.get(name);
    const own = found[owner?.i ?? -1];
    if (owner === undefined || own === undefined) return;
    addMomentsInto(own.sums, own.squares, value.data, innerOf(value, owner.axis));
    own.count += value.data.length / own.sums.length;
    own.rank = value.dims.length;
  });
  return found.map(({ sums, squares, count, rank }) => {
    const mean = sums.map((sum) => sum / count);
    const variance = squares.map((square, i) => Math.max(0, square / count - (mean[i] ?? 0) ** 2));
    return { mean: Float32Array.from(mean), variance: Float32Array.from(variance), rank };
  });
}

/** The mean magnitude of every channel that a layer reads, over images and places. @throws what {@link showValues} throws. */
export async function inputMagnitudes(
  net: ClassifierNet,
  graph: Graph,
  { input, axis, incoming }: Layer,
  run: Run,
): Promise<Float64Array> {
  const sums = new Float64Array(incoming?.channels ?? 0);
  let count = 0;
  await showValues(net, graph, { ...run, values: [input] }, (_, value) => {
    addMagnitudesInto(sums, value.data, innerOf(value, axis));
    count += value.data.length / sums.length;
  });
  return sums.map((sum) => sum / count);
}

/** Numbers of one channel that lie side by side. */
function innerOf({ dims }: Float32Tensor, axis: Layer["axis"]): number {
  return axis === "last" ? 1 : dims.slice(2).reduce((product, dim) => product * dim, 1);
}
