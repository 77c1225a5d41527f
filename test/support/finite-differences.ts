/** @file Gradients against central differences, along directions, through the engine. */
import { GraphBuilder } from "../../src/graph/builder.ts";
import { differentiate, gradientName } from "../../src/graph/differentiate.ts";
import { specialise } from "../../src/graph/rewrite/specialise.ts";
import { graphToBytes } from "../../src/graph/to-model.ts";
import { elementCount } from "../../src/tensor/shape.ts";
import { type Float32Tensor, float32, type Tensor } from "../../src/tensor/tensor.ts";
import type { Sample } from "./operator-samples.ts";
import { runModel, runOptimized } from "./run-model.ts";

/** Half the length of a difference. Values of an input are further apart than that, so that no order changes. */
const STEP = 0.01;

/** Directional derivatives of one sample, one per input: from differences, and from the gradient. */
export interface Relation {
  readonly differences: readonly number[];
  readonly gradients: readonly number[];
  /** Length of the whole gradient, the measure of errors. */
  readonly norm: number;
}

/** Differentiates `sum(y * cotangent)` of a sample in both ways. */
export async function relate(sample: Sample): Promise<Relation> {
  const b = new GraphBuilder();
  if (sample.opset !== undefined) b.useDomain("", sample.opset);
  const names = sample.inputs.map((dims, i) => b.input(`x${i}`, "float32", dims));
  b.output("y", sample.write(b, names), "float32");
  const model = b.build("sample");
  const { graph, facts } = await specialise(model, runModel, { batch: 2 });
  const gradient = differentiate(graph, { seeds: { y: "dy" }, wrt: names }, facts);

  const values = Object.fromEntries(names.map((name, i) => [name, spread(sample.inputs[i]!, sample.range)]));
  const dy = directionOf(facts.get("y")!.dims, 0.7);
  const feeds = Object.fromEntries(gradient.inputs.map(({ name }) => [name, name === "dy" ? dy : values[name]!]));
  const results = await runOptimized(graphToBytes(gradient), feeds);

  const bytes = graphToBytes(model);
  const valueAt = async (feeds: Readonly<Record<string, Tensor>>): Promise<number> =>
    dot((await runModel(bytes, feeds))["y"]!.data as Float32Array, dy.data);
  const differences: number[] = [];
  const gradients: number[] = [];
  for (const [i, name] of names.entries()) {
    const x = values[name]!;
    const direction = directionOf(x.dims, i + 1);
    // Differences of what is linear are exact at any length.
    const step = sample.linear === true ? 1 : STEP;
    const moved = (sign: number): Float32Tensor =>
      float32(
        x.dims,
        x.data.map((value, k) => value + sign * step * direction.data[k]!),
      );
    const [above, below] = [
      await valueAt({ ...values, [name]: moved(1) }),
      await valueAt({ ...values, [name]: moved(-1) }),
    ];
    differences.push((above - below) / (2 * step));
    const found = results[gradientName(name)]!;
    if (found.dims.join() !== x.dims.join()) throw new Error(`gradient of ${name} has dims ${found.dims}`);
    gradients.push(dot(found.data as Float32Array, direction.data));
  }
  const all = names.map((name) => results[gradientName(name)]!.data as Float32Array);
  return { differences, gradients, norm: Math.sqrt(all.reduce((sum, data) => sum + dot(data, data), 0)) };
}

/** Values of a range, evenly spaced and in disorder: all differ, and none is at a round number where kinks are. */
function spread(dims: readonly number[], [low, high]: readonly [number, number] = [-1.6, 1.6]): Float32Tensor {
  const count = elementCount(dims);
  const stride = [61, 37, 23, 17, 13, 11, 7, 5].find((prime) => count % prime !== 0) ?? 1;
  const place = (i: number): number => ((i * stride) % count) + 0.51;
  return float32(
    dims,
    Array.from({ length: count }, (_, i) => low + ((high - low) * place(i)) / count),
  );
}

/** A direction without pattern, entries within ±1. */
function directionOf(dims: readonly number[], phase: number): Float32Tensor {
  return float32(
    dims,
    Array.from({ length: elementCount(dims) }, (_, i) => Math.sin(2.3 * i + phase)),
  );
}

function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0);
}
