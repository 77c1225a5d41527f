/** @file The models that WebGPU is given are those that it was given before. */
import { expect, test } from "vitest";
import { GraphBuilder, graphFromModel, graphToBytes, int } from "../../src/graph/index.ts";
import { decodeModel } from "../../src/onnx/index.ts";
import { createNodeRuntime } from "../../src/runtime/node.ts";
import { float32 } from "../../src/tensor/index.ts";
import { narrowSplits } from "../../web/src/tab/narrow-splits.ts";

/** A model that splits [2, n] into n columns of its own sizes. */
function splitting(sizes: readonly number[]): Uint8Array {
  const b = new GraphBuilder();
  const width = sizes.reduce((sum, size) => sum + size, 0);
  const x = b.input("x", "float32", [2, width]);
  const parts = b.ops("Split", [x, b.ints(...sizes)], { axis: int(1) }, { outputs: sizes.length });
  for (const [i, part] of parts.entries()) b.output(`y${i}`, b.op("Neg", [part]), "float32", [2, sizes[i] ?? 0]);
  return graphToBytes(b.build("splitting"));
}

test.each([8, 10, 60])("a Split into %i has the same outputs, and none has more than seven", async (count) => {
  const sizes = Array.from({ length: count }, (_, i) => 1 + (i % 3));
  const model = splitting(sizes);
  const narrow = narrowSplits(model);
  const splits = graphFromModel(decodeModel(narrow)).nodes.filter(({ op }) => op === "Split");
  expect(Math.max(...splits.map(({ outputs }) => outputs.length))).toBeLessThanOrEqual(7);
  const runtime = await createNodeRuntime({ device: "cpu", threads: 1 });
  const width = sizes.reduce((sum, size) => sum + size, 0);
  const x = float32(
    [2, width],
    Float32Array.from({ length: 2 * width }, (_, i) => i),
  );
  const [wide, same] = await Promise.all([model, narrow].map(async (one) => (await runtime.load(one)).run({ x })));
  expect(same).toEqual(wide);
});

test("a model without such a Split keeps its bytes", () => {
  const model = splitting([1, 2, 3]);
  expect(narrowSplits(model)).toBe(model);
});
