/** @file Gradients of a model file for a recorded cotangent, and how far they may be from recorded ones. */
import { expect } from "vitest";
import { differentiate } from "../../src/graph/differentiate.ts";
import { graphFromModel } from "../../src/graph/from-model.ts";
import type { InputDims } from "../../src/graph/probe.ts";
import { specialise } from "../../src/graph/rewrite/specialise.ts";
import { graphToBytes } from "../../src/graph/to-model.ts";
import { decodeModel } from "../../src/onnx/codec.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { type GoldenFile, readGolden, readGoldenBytes } from "./golden.ts";
import { runModel, runOptimized } from "./run-model.ts";

/** What a model's graph computes, with the gradients that its golden file has. */
export interface RecordedGradients {
  readonly golden: GoldenFile;
  /** The name of the output that the golden file calls `y`. */
  readonly output: string;
  readonly results: Readonly<Record<string, Tensor>>;
}

/** Differentiates `<path>.onnx` by everything that `<path>.safetensors` has a gradient of, and runs it on its inputs. */
export async function recordedGradients(path: string): Promise<RecordedGradients> {
  const golden = readGolden(`${path}.safetensors`);
  const model = graphFromModel(decodeModel(readGoldenBytes(`${path}.onnx`)));
  const wrt = [...golden.tensors.keys()].flatMap((key) => (key.startsWith("grad.") ? [key.slice(5)] : []));
  // Other dims than the batch may be symbolic too.
  const dims: InputDims = (batch) =>
    Object.fromEntries(
      model.inputs.map(({ name, dims: own }) => [name, fixedDims(own ?? [], batch, golden.dims(name))]),
    );
  const { graph, facts } = await specialise(model, runModel, { batch: 2, dims, keep: new Set(wrt) });
  const output = graph.outputs[0]!.name;
  const gradient = differentiate(graph, { seeds: { [output]: "cotangent" }, wrt }, facts);
  const feeds = gradient.inputs.map(({ name }) => [name, golden.tensor(name)] as const);
  const results = await runOptimized(graphToBytes(gradient), Object.fromEntries(feeds));
  return { golden, output, results };
}

function fixedDims(own: readonly (number | string)[], batch: number, recorded: readonly number[]): number[] {
  return own.map((dim, axis) => (typeof dim === "number" ? dim : axis === 0 ? batch : recorded[axis]!));
}

/**
 * Every recorded gradient is within 1e-5 of its largest entry. At kinks an entry may lie on the other side: with `kinked`
 * one of a hundred may be further off than 1e-3, and the median counts.
 */
export function expectRecorded({ golden, results }: RecordedGradients, { kinked }: { kinked: boolean }): void {
  const names = [...golden.tensors.keys()].filter((key) => key.startsWith("grad."));
  expect(names.length).toBeGreaterThan(0);
  for (const key of names) {
    const expected = golden.float32(key);
    expect(results[key]?.dims, key).toEqual(golden.dims(key));
    const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1;
    const actual = results[key]!.data as Float32Array;
    const errors = expected.map((value, i) => Math.abs(actual[i]! - value) / largest).sort();
    expect(errors.some(Number.isNaN), key).toBe(false);
    if (kinked) {
      expect(errors.filter((error) => error > 1e-3).length / errors.length, key).toBeLessThanOrEqual(0.01);
      expect(errors[Math.floor(errors.length / 2)], key).toBeLessThanOrEqual(1e-5);
    } else {
      expect(errors.at(-1), key).toBeLessThanOrEqual(1e-5);
    }
  }
}
