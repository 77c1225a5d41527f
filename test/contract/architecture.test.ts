/** @file What every architecture in the registry must do. A new one is tested by being registered. */
import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parseOptions } from "../../src/core/descriptor.ts";
import { FormatError, OptionError, ShapeError } from "../../src/core/errors.ts";
import { differentiate, gradientName } from "../../src/graph/differentiate.ts";
import { specialise } from "../../src/graph/rewrite/specialise.ts";
import { graphToBytes } from "../../src/graph/to-model.ts";
import type { Architecture } from "../../src/nn/architectures/architecture.ts";
import { buildClassifier } from "../../src/nn/architectures/build-classifier.ts";
import { type ArchitectureName, architectures } from "../../src/nn/architectures/registry.ts";
import { readSafetensors } from "../../src/nn/checkpoints/safetensors.ts";
import { writeSafetensors } from "../../src/nn/checkpoints/safetensors-writer.ts";
import { weightsOf } from "../../src/nn/checkpoints/weights.ts";
import { freshWeights } from "../../src/nn/fresh-weights.ts";
import { createNodeRuntime } from "../../src/runtime/node.ts";
import { rowsOf } from "../../src/tensor/rows.ts";
import { type Float32Tensor, float32 } from "../../src/tensor/tensor.ts";
import { hashedWeights } from "../support/hashed-weights.ts";
import { runModel, runOptimized } from "../support/run-model.ts";

/** Options that make each quick. */
const narrow = {
  "mobilenet-v2": { width: 0.1 },
  "preact-resnet-18": { width: 4 },
  "resnet-18": { width: 4 },
  "small-cnn": { width: 4 },
  "vgg-bn": { width: 4 },
  "vit-small": { depth: 2, width: 24, heads: 3 },
} as const satisfies Record<ArchitectureName, Record<string, unknown>>;

/** Everything that is tested, with the layouts that options choose. */
const settings = [
  ...Object.entries(narrow).map(([name, options]) => ({ title: name, name: name as ArchitectureName, options })),
  { title: "resnet-18 imagenet", name: "resnet-18", options: { stem: "imagenet", width: 4 } },
  { title: "vgg-bn 16", name: "vgg-bn", options: { depth: "16", width: 4 } },
  { title: "mobilenet-v2 imagenet", name: "mobilenet-v2", options: { strides: "imagenet", width: 0.1 } },
] as const;

const CLASSES = 5;
const sizes = [
  { channels: 1, height: 28, width: 28 },
  { channels: 3, height: 32, width: 32 },
  { channels: 3, height: 64, width: 64 },
] as const;

type Dims = (typeof sizes)[number] | { channels: number; height: number; width: number };

/** Pixels without pattern, of about unit deviation. */
function pixels(rows: number, { channels, height, width }: Dims): Float32Tensor {
  const length = rows * channels * height * width;
  return float32(
    [rows, channels, height, width],
    Float32Array.from({ length }, (_, i) => 3.5 * ((Math.sin(i * 12.9898) * 43758.5453) % 1)),
  );
}

function leastSize(name: ArchitectureName, options: object): number {
  const descriptor: Architecture = architectures[name];
  return descriptor.minimumSize(parseOptions(descriptor, { ...options }));
}

describe("architecture registry", () => {
  it("has every file, under its own name", () => {
    const helpers = ["architecture", "build-classifier", "registry"];
    const files = readdirSync(new URL("../../src/nn/architectures/", import.meta.url))
      .filter((file) => !file.endsWith(".test.ts"))
      .map((file) => file.replace(/\.ts$/, ""))
      .filter((file) => !helpers.includes(file));
    expect(Object.keys(architectures).sort()).toEqual(files.sort());
    for (const [name, { name: own }] of Object.entries(architectures)) expect(own).toBe(name);
  });

  it.each(Object.values<Architecture>(architectures))("$name describes itself and every option", (descriptor) => {
    expect(descriptor.summary).toMatch(/^[A-Z].*\.$/);
    expect(descriptor.source).not.toBe("");
    expect(Object.keys(parseOptions(descriptor, {}))).toEqual(Object.keys(descriptor.options.shape));
    for (const option of Object.values(descriptor.options.shape)) expect(option.description).toMatch(/\.$/);
  });

  it.each([
    { architecture: "resnet-18", classes: 10, options: {}, size: 32, published: 11_173_962 },
    { architecture: "resnet-18", classes: 1000, options: { stem: "imagenet" }, size: 224, published: 11_689_512 },
    { architecture: "mobilenet-v2", classes: 1000, options: { strides: "imagenet" }, size: 224, published: 3_504_872 },
    { architecture: "vit-small", classes: 1000, options: { patch: 16 }, size: 224, published: 22_050_664 },
  ])("$architecture of $size pixels has $published weights", ({ architecture, classes, options, size, published }) => {
    const weights = hashedWeights();
    buildClassifier({ architecture, options, classes, dims: { channels: 3, height: size, width: size }, weights });
    const counts = [...weights.state].map(([name, { data }]) => (/running_(mean|var)$/.test(name) ? 0 : data.length));
    expect(counts.reduce((sum, count) => sum + count)).toBe(published);
  });

  it("refuses what cannot be built, in one sentence", () => {
    const plan = { architecture: "small-cnn", classes: 10, dims: sizes[0], weights: freshWeights(1) };
    expect(() => buildClassifier({ ...plan, architecture: "resnet18" })).toThrow(/Did you mean "resnet-18"\?/);
    expect(() => buildClassifier({ ...plan, options: { widht: 3 } })).toThrow(/Did you mean "width"\?/);
    expect(() => buildClassifier({ ...plan, options: { width: 0 } })).toThrow(OptionError);
    expect(() => buildClassifier({ ...plan, classes: 1 })).toThrow(
      "classes: expected an integer from 2 to 65536, got 1",
    );
    expect(() => buildClassifier({ ...plan, dims: { channels: 1, height: Number.NaN, width: 28 } })).toThrow(
      OptionError,
    );
    const vit = { ...plan, architecture: "vit-small" };
    expect(() => buildClassifier({ ...vit, options: { patch: 5 } })).toThrow(
      "vit-small: expected a patch that divides 28x28 pixels, got 5.",
    );
    expect(() => buildClassifier({ ...vit, options: { width: 32 } })).toThrow(
      "vit-small: expected a width that is a multiple of 6 heads, got 32.",
    );
    expect(() => buildClassifier({ ...vit, dims: { channels: 3, height: 4096, width: 4096 } })).toThrow(
      "vit-small: expected at most 16384 patches, got 1048576",
    );
  });
});

describe.each(settings)("$title", ({ name, options }) => {
  const least = leastSize(name, options);
  const build = (dims: Dims, weights = freshWeights(5)) =>
    buildClassifier({ architecture: name, options, classes: CLASSES, dims, weights });

  it.each(sizes.filter(({ height }) => height >= least))(
    "of $channels x $height x $width: a row of a batch equals it alone",
    async (dims) => {
      const graph = build(dims);
      expect(graph.inputs).toEqual([
        { name: "pixel_values", dtype: "float32", dims: ["N", dims.channels, dims.height, dims.width] },
      ]);
      expect(graph.outputs).toEqual([{ name: "logits", dtype: "float32", dims: ["N", CLASSES] }]);
      const x = pixels(4, dims);
      const session = await (await createNodeRuntime({ threads: 1 })).load(graphToBytes(graph));
      const { logits } = await session.run({ pixel_values: x });
      expect(logits!.dims).toEqual([4, CLASSES]);
      const rows = Array.from({ length: 4 }, (_, i) => [...rowsOf(logits as Float32Tensor, i, i + 1).data]);
      expect(rows.flat().every(Number.isFinite)).toBe(true);
      expect(new Set(rows.map(String)).size).toBe(4);
      for (const [i, row] of rows.entries()) {
        const alone = await session.run({ pixel_values: rowsOf(x, i, i + 1) });
        expect([...(alone["logits"]!.data as Float32Array)]).toEqual(row);
      }
      await session.dispose();
    },
  );

  it("takes its smallest images, and refuses smaller ones", async () => {
    const dims = { channels: 1, height: least, width: least };
    const { logits } = await runOptimized(graphToBytes(build(dims)), { pixel_values: pixels(2, dims) });
    expect(logits!.dims).toEqual([2, CLASSES]);
    if (least === 1) return;
    expect(() => build({ ...dims, width: least - 1 })).toThrow(ShapeError);
  });

  it("passes a gradient to every weight", async () => {
    const dims = { channels: 3, height: Math.max(least, 32), width: Math.max(least, 32) };
    const weights = freshWeights(6);
    const graph = build(dims, weights);
    const wrt = [...weights.state.keys()];
    expect([...graph.initializers.keys()].filter((key) => !key.startsWith("const_")).sort()).toEqual([...wrt].sort());
    const special = await specialise(graph, runModel, { batch: 2, keep: new Set(wrt) });
    const seeds = { logits: 1 / (2 * CLASSES) };
    const gradient = differentiate(special.graph, { seeds, wrt }, special.facts);
    const results = await runOptimized(graphToBytes(gradient), { pixel_values: pixels(2, dims) });
    for (const weight of wrt) {
      const { dims, data } = results[gradientName(weight)] as Float32Tensor;
      expect(dims, weight).toEqual(weights.dimsOf(weight));
      expect(data.every(Number.isFinite), weight).toBe(true);
      expect(
        data.some((value) => value !== 0),
        weight,
      ).toBe(true);
    }
  });

  it("is the same from a checkpoint, and names the tensor that one lacks", () => {
    const dims = { channels: 1, height: Math.max(least, 28), width: Math.max(least, 28) };
    const fresh = freshWeights(7);
    const bytes = graphToBytes(build(dims, fresh));
    const { tensors } = readSafetensors(writeSafetensors(fresh.state), "model.safetensors");
    const stored = weightsOf(tensors, "checkpoint");
    expect(Buffer.compare(graphToBytes(build(dims, stored)), bytes)).toBe(0);
    expect(stored.unused()).toEqual([]);
    const [missing = ""] = tensors.keys();
    const rest = new Map([...tensors].filter(([key]) => key !== missing));
    expect(() => build(dims, weightsOf(rest, "checkpoint"))).toThrow(FormatError);
    expect(() => build(dims, weightsOf(rest, "checkpoint"))).toThrow(`"${missing}"`);
  });

  it("normalises as PyTorch does", () => {
    const { nodes } = build({ channels: 3, height: 64, width: 64 });
    const epsilon = (value: number) => ({ epsilon: { kind: "float", value } });
    const batches = nodes.filter(({ op }) => op === "BatchNormalization");
    const tokens = nodes.filter(({ op }) => op === "LayerNormalization");
    expect(batches.length + tokens.length).toBeGreaterThan(0);
    for (const { attributes } of batches)
      expect(attributes).toMatchObject({ ...epsilon(1e-5), momentum: { value: 0.9 } });
    for (const { attributes } of tokens) expect(attributes).toMatchObject(epsilon(1e-6));
  });
});
