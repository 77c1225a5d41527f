/** @file What holds for every network that is written here: rows do not see each other, and every weight learns. */
import { expect } from "vitest";
import type { Graph, ValueName } from "../../src/graph/ir.ts";
import { graphToBytes } from "../../src/graph/to-model.ts";
import { createNodeRuntime } from "../../src/runtime/node.ts";
import { rowsOf } from "../../src/tensor/rows.ts";
import { type Float32Tensor, float32, type Tensor } from "../../src/tensor/tensor.ts";
import { openStep } from "../../src/training/step.ts";
import { trainableOf } from "../../src/training/trainable.ts";

const runtime = createNodeRuntime({ threads: 1 });

/** Values in [0, 1) without pattern. */
export function unitNoise(dims: readonly number[], seed = 1): Float32Tensor {
  const length = dims.reduce((product, dim) => product * dim, 1);
  return float32(
    dims,
    Float32Array.from({ length }, (_, i) => Math.abs((Math.sin((i + 1) * 12.9898 + seed * 78.233) * 43758.5453) % 1)),
  );
}

/** Runs a graph once, optimised as users run it. */
export async function runGraph(
  graph: Graph,
  feeds: Readonly<Record<string, Float32Tensor>>,
): Promise<Record<string, Tensor>> {
  const session = await (await runtime).load(graphToBytes(graph));
  try {
    return await session.run(feeds);
  } finally {
    await session.dispose();
  }
}

/** Every row of a batch gives the same numbers, to the bit, as the row alone. */
export async function expectRowsAlone(
  graph: Graph,
  feeds: Readonly<Record<string, Float32Tensor>>,
): Promise<Record<string, Tensor>> {
  const session = await (await runtime).load(graphToBytes(graph));
  const together = await session.run(feeds);
  const [rows = 0] = Object.values(feeds)[0]!.dims;
  expect(rows).toBeGreaterThan(1);
  for (let row = 0; row < rows; row++) {
    const own = Object.entries(feeds).map(([name, value]) => [name, rowsOf(value, row, row + 1)] as const);
    const alone = await session.run(Object.fromEntries(own));
    for (const [name, value] of Object.entries(together)) {
      expect(alone[name]!.data, `${name} of row ${row}`).toEqual(rowsOf(value as Float32Tensor, row, row + 1).data);
    }
  }
  await session.dispose();
  return together;
}

/**
 * In training mode, the gradient of a sum of one output's values, each times a number without pattern, is finite by every
 * weight, and by none zeros only.
 * @returns the names of the weights.
 */
export async function expectEveryWeightLearns(
  graph: Graph,
  output: ValueName,
  feeds: Readonly<Record<string, Float32Tensor>>,
): Promise<string[]> {
  const net = trainableOf(graph);
  const [batch = 0] = Object.values(feeds)[0]!.dims;
  let dims: readonly number[] = [];
  const step = await openStep(net, {
    runtime: await runtime,
    batch,
    loss: (b, outputs) => {
      dims = outputs[output]!.dims;
      const weighted = b.op("Mul", [outputs[output]!.name, b.input("cotangent", "float32", dims)]);
      return b.op("ReduceSum", [weighted], { keepdims: { kind: "int", value: 0 } });
    },
  });
  const state = step.initial();
  const gradient = new Float32Array(step.weights.size);
  const cotangent = unitNoise(dims, 9);
  await step.run(state, { ...feeds, cotangent }, { gradient, statistics: new Float32Array(step.statistics.size) });
  await step.dispose();
  for (const { name, from, to } of step.weights.slots) {
    const values = gradient.subarray(from, to);
    expect(values.every(Number.isFinite), `${name} is finite`).toBe(true);
    expect(
      values.some((value) => value !== 0),
      `${name} is not zeros`,
    ).toBe(true);
  }
  return step.weights.slots.map(({ name }) => name);
}
