/** @file How fast the engine multiplies matrices here, and how much of that a network asks for. */
import { type Facts, type Graph, GraphBuilder, graphToBytes, type RunModel } from "untrigger/graph";
import type { Runtime } from "untrigger/runtime";
import { float32 } from "untrigger/tensor";
import type { Contestant } from "./timing.ts";

const SIDE = 1024;
/** Multiplications and additions of one round. */
export const PEAK_FLOPS = 2 * SIDE ** 3;

/** A contestant that multiplies two matrices of 1024 by 1024. */
export async function matmulPeak(
  runtime: Runtime,
  timed: (work: () => Promise<unknown>) => Promise<number>,
): Promise<Contestant & { close(): Promise<void> }> {
  const b = new GraphBuilder();
  const sides = [SIDE, SIDE];
  const product = b.op("MatMul", [b.input("a", "float32", sides), b.input("b", "float32", sides)]);
  b.output("y", product, "float32", sides);
  const session = await runtime.load(graphToBytes(b.build("peak")));
  const feed = float32(sides, new Float32Array(SIDE ** 2).fill(0.5));
  return {
    name: "peak",
    run: () => timed(() => session.run({ a: feed, b: feed })),
    close: () => session.dispose(),
  };
}

/** One run of a model, as the engine computes it without rewriting. */
export function probing(runtime: Runtime): RunModel {
  return async (model, feeds) => {
    const session = await runtime.load(model, { optimize: false });
    try {
      return await session.run(feeds);
    } finally {
      await session.dispose();
    }
  };
}

/** Multiplications and additions in a graph's products and convolutions, forward. Everything else counts nothing. */
export function productFlops({ nodes }: Graph, facts: Facts): number {
  const dims = (value = ""): readonly number[] => facts.get(value)?.dims ?? [];
  const count = (values: readonly number[]): number => values.reduce((product, dim) => product * dim, 1);
  let flops = 0;
  for (const { op, inputs, outputs, attributes } of nodes) {
    const made = count(dims(outputs[0]));
    if (op === "Conv") flops += 2 * made * count(dims(inputs[1]).slice(1));
    if (op === "ConvTranspose") flops += 2 * count(dims(inputs[0])) * count(dims(inputs[1]).slice(1));
    if (op === "MatMul") flops += 2 * made * (dims(inputs[0]).at(-1) ?? 1);
    if (op === "Gemm") {
      const transposed = attributes["transA"]?.kind === "int" && attributes["transA"].value === 1;
      flops += 2 * made * (dims(inputs[0])[transposed ? 0 : 1] ?? 1);
    }
  }
  return flops;
}
