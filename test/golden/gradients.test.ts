/** @file Gradients of PyTorch: single operators and small nets, as its exporter writes them. */
import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { differentiate } from "../../src/graph/differentiate.ts";
import { graphFromModel } from "../../src/graph/from-model.ts";
import { specialise } from "../../src/graph/rewrite/specialise.ts";
import { graphToBytes } from "../../src/graph/to-model.ts";
import { decodeModel } from "../../src/onnx/codec.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { type GoldenFile, readGolden, readGoldenBytes } from "../support/golden.ts";
import { runModel, runOptimized } from "../support/run-model.ts";

const cases = readdirSync(new URL("gradients/", import.meta.url))
  .filter((name) => name.endsWith(".onnx"))
  .map((name) => name.slice(0, -5));

/** Cases with kinks: few entries may lie on the other side. */
const kinked = /relu|clamp|clip|amax|maxpool|hardswish|abs|gmp|leaky|conv_o/;

async function gradientsOf(name: string, golden: GoldenFile): Promise<Readonly<Record<string, Tensor>>> {
  const model = graphFromModel(decodeModel(readGoldenBytes(`gradients/${name}.onnx`)));
  const wrt = [...golden.tensors.keys()].flatMap((key) => (key.startsWith("grad.") ? [key.slice(5)] : []));
  const { graph, facts } = await specialise(model, runModel, { batch: 2, keep: new Set(wrt) });
  const output = graph.outputs[0]!.name;
  const gradient = differentiate(graph, { seeds: { [output]: "cotangent" }, wrt }, facts);
  const names = gradient.inputs.map((input) => input.name);
  return await runOptimized(
    graphToBytes(gradient),
    Object.fromEntries(names.map((input) => [input, golden.tensor(input)])),
  );
}

test("there are 105 cases", () => {
  expect(cases.length).toBe(105);
});

test.each(cases)("%s", async (name) => {
  const golden = readGolden(`gradients/${name}.safetensors`);
  const results = await gradientsOf(name, golden);
  const names = Object.keys(results).filter((key) => key.startsWith("grad."));
  expect(names.length).toBeGreaterThan(0);
  for (const key of names) {
    const expected = golden.float32(key);
    expect(results[key]!.dims, key).toEqual(golden.dims(key));
    const scale = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1;
    const actual = results[key]!.data as Float32Array;
    const errors = Array.from(expected, (value, i) => Math.abs(actual[i]! - value) / scale);
    expect(errors.some(Number.isNaN), key).toBe(false);
    if (kinked.test(name)) {
      expect(errors.filter((error) => error > 1e-3).length / errors.length, key).toBeLessThanOrEqual(0.01);
      expect(errors.sort((a, b) => a - b)[Math.floor(errors.length / 2)], key).toBeLessThanOrEqual(1e-5);
    } else {
      expect(Math.max(...errors), key).toBeLessThanOrEqual(1e-5);
    }
  }
});
