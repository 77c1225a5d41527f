/** @file Every architecture of classifiers against PyTorch's network of the same tensors. */
import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { graphToBytes } from "../../src/graph/to-model.ts";
import { buildClassifier } from "../../src/nn/architectures/build-classifier.ts";
import { architectures } from "../../src/nn/architectures/registry.ts";
import { readGolden } from "../support/golden.ts";
import { hashedWeights } from "../support/hashed-weights.ts";
import { expectItemsClose } from "../support/relative-error.ts";
import { runOptimized } from "../support/run-model.ts";

const cases = readdirSync(new URL("architectures/", import.meta.url))
  .filter((name) => name.endsWith(".safetensors"))
  .map((name) => ({ name, golden: readGolden(`architectures/${name}`) }));

test("every architecture is recorded", () => {
  const recorded = new Set(cases.map(({ golden }) => golden.metadata.get("architecture")));
  expect([...recorded].sort()).toEqual(Object.keys(architectures).sort());
});

test.each(cases)("$name", async ({ golden }) => {
  const x = golden.tensor("pixel_values");
  const [items = 0, channels = 0, height = 0, width = 0] = x.dims;
  const weights = hashedWeights();
  const graph = buildClassifier({
    architecture: golden.metadata.get("architecture")!,
    options: JSON.parse(golden.metadata.get("options")!),
    classes: golden.dims("logits")[1]!,
    dims: { channels, height, width },
    weights,
  });
  const trained = [...weights.state].filter(([name]) => !/running_(mean|var)$/.test(name));
  const parameters = trained.reduce((sum, [, { data }]) => sum + data.length, 0);
  expect(parameters).toBe(Number(golden.metadata.get("parameters")));
  const { logits } = await runOptimized(graphToBytes(graph), { pixel_values: x });
  expectItemsClose(logits!.data as Float32Array, golden.float32("logits"), { items, tolerance: 5e-5 });
});
