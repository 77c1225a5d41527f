/** @file What every inverter in the registry must do. A new inverter is tested by being registered. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { openWhiteBox } from "../../src/classifiers/white-box.ts";
import { parseOptions } from "../../src/core/descriptor.ts";
import { type OptionError, RuntimeFailure, ShapeError } from "../../src/core/errors.ts";
import { createNoise } from "../../src/core/noise.ts";
import { GraphBuilder, int } from "../../src/graph/builder.ts";
import { graphToBytes } from "../../src/graph/to-model.ts";
import type { Inversion, InversionRun, InverterDescriptor } from "../../src/invert/inverter.ts";
import { inverters } from "../../src/invert/registry.ts";
import { extentOf, stamp } from "../../src/invert/trigger.ts";
import { createNodeRuntime } from "../../src/runtime/node.ts";
import { type Float32Tensor, float32 } from "../../src/tensor/tensor.ts";
import { linearClassifier } from "../support/gaussian-prior.ts";

const [N, CHANNELS, HEIGHT, WIDTH, CLASSES] = [7, 3, 8, 10, 4];
const SIZE = CHANNELS * HEIGHT * WIDTH;
const runtime = await createNodeRuntime({ threads: 1 });

const images = float32(
  [N, CHANNELS, HEIGHT, WIDTH],
  Float32Array.from({ length: N * SIZE }, (_, i) => ((i * 7919) % 256) / 255),
);
const labels = [0, 1, 2, 3, 0, 1, 2];

/** Two dense layers over pixels. */
function model({ softmax = false, batch = "N" as number | string, scale = 1, classes = CLASSES } = {}): Uint8Array {
  const b = new GraphBuilder();
  const wave = (length: number, pitch: number, height: number) =>
    Array.from({ length }, (_, i) => height * Math.sin(pitch * (i + 1)));
  const flat = b.op("Flatten", [b.input("x", "float32", [batch, CHANNELS, HEIGHT, WIDTH])]);
  const hidden = b.op("Tanh", [b.op("Gemm", [flat, b.weight("w", float32([SIZE, 6], wave(SIZE * 6, 1.7, 0.2)))])]);
  const scores = b.op("Gemm", [hidden, b.weight("v", float32([6, classes], wave(6 * classes, 2.9, scale)))]);
  b.output("y", softmax ? b.op("Softmax", [scores], { axis: int(1) }) : scores, "float32");
  return graphToBytes(b.build("dense"));
}
const flags = { mean: 0, std: 1, threads: 1 } as const;
const open = (bytes = model(), more = {}) => openWhiteBox({ model: bytes }, runtime, { ...flags, ...more });
const classifier = await open();

const runOf = (seed = 1, more: Partial<InversionRun> = {}): InversionRun => ({
  noise: createNoise(
    seed,
    labels.map((_, i) => [i, 3]),
  ),
  ...more,
});

/** A few steps do for a contract. */
const quick = (descriptor: InverterDescriptor): Record<string, unknown> => ({
  steps: 6,
  ...("minibatches" in descriptor.options.shape ? { minibatches: 2 } : {}),
  ...("images" in descriptor.options.shape ? { images: 3 } : {}),
});

async function invert(
  descriptor: InverterDescriptor,
  { run = runOf(), raw = {}, context = { classifier }, request = { images, labels, classes: [2, 0] } } = {} as {
    run?: InversionRun;
    raw?: Record<string, unknown>;
    context?: Parameters<InverterDescriptor["create"]>[1];
    request?: { images: Float32Tensor; labels?: number[]; classes: number[] };
  },
): Promise<Inversion[]> {
  const inverter = await descriptor.create(parseOptions(descriptor, { ...quick(descriptor), ...raw }), context);
  const found: Inversion[] = [];
  for await (const inversion of inverter.invert(request, run)) found.push(inversion);
  await inverter.dispose();
  return found;
}

describe("inverter registry", () => {
  it("has every method file, under its own name", () => {
    const files = readdirSync(new URL("../../src/invert/", import.meta.url))
      .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"))
      .filter((file) => readFileSync(`src/invert/${file}`, "utf8").includes("= defineInverter({"))
      .map((file) => file.replace(/\.ts$/, ""));
    expect(Object.keys(inverters).sort()).toEqual(files.sort());
    for (const [name, { name: own }] of Object.entries(inverters)) expect(own).toBe(name);
  });
});

describe.each(Object.values<InverterDescriptor>(inverters))("$name", (descriptor) => {
  it("describes itself, every option, and has a default for each", () => {
    expect(descriptor.summary).toMatch(/^[A-Z].*\.$/);
    expect(descriptor.source).not.toBe("");
    expect(Object.keys(parseOptions(descriptor, {}))).toEqual(Object.keys(descriptor.options.shape));
    for (const option of Object.values(descriptor.options.shape)) expect(option.description).toMatch(/\.$/);
  });

  it("recommends a setting, and all presets parse", () => {
    expect(descriptor.presets.recommended).toBeDefined();
    for (const sets of Object.values(descriptor.presets)) {
      for (const set of sets) expect(() => parseOptions(descriptor, set)).not.toThrow();
    }
  });

  it("has a page that names every preset and option", () => {
    const page = new URL(`../../docs/methods/${descriptor.name}.md`, import.meta.url);
    expect(existsSync(page)).toBe(true);
    const text = readFileSync(page, "utf8");
    for (const preset of Object.keys(descriptor.presets)) expect(text).toContain(`\`${preset}\``);
    for (const option of Object.keys(descriptor.options.shape)) expect(text).toContain(`\`${option}\``);
  });

  it("finds a trigger in range for each class, and counts what it does", async () => {
    const before = images.data.slice();
    const found = await invert(descriptor, { context: { classifier, reference: await open(model({ scale: 0.5 })) } });
    expect(images.data).toEqual(before);
    expect(found.map(({ target }) => target)).toEqual([2, 0]);
    for (const { target, trigger, norms, success, losses, sources, complete } of found) {
      const beside = labels.filter((label) => label !== target).length;
      expect(success.sources.total).toBe(sources.length);
      expect(success.sources.total + success.others.total).toBe(beside);
      expect(success.reference!.total).toBe(success.others.total || sources.length);
      for (const row of sources) expect(labels[row]).not.toBe(target);
      expect(complete).toBe(true);
      expect(losses.length).toBeGreaterThan(0);
      expect(losses.every(Number.isFinite)).toBe(true);
      const parts = trigger.kind === "patch" ? [trigger.mask, trigger.pattern] : [extentOf(trigger)];
      const lowest = { patch: 0, perturbation: -1, warp: -WIDTH }[trigger.kind];
      const highest = trigger.kind === "warp" ? WIDTH : 1;
      for (const part of parts) expect(part.data.every((value) => value >= lowest && value <= highest)).toBe(true);
      expect(parts.at(-1)?.dims).toEqual([1, trigger.kind === "warp" ? 2 : CHANNELS, HEIGHT, WIDTH]);
      if (trigger.kind === "patch") expect(trigger.mask.dims).toEqual([1, 1, HEIGHT, WIDTH]);
      expect(stamp(images, trigger).data.every((value) => value >= 0 && value <= 1)).toBe(true);
      expect(norms.pixels).toBeLessThanOrEqual(HEIGHT * WIDTH);
      expect(norms.l2).toBeLessThanOrEqual(norms.l1 + 1e-6);
      expect(norms.linf).toBeLessThanOrEqual(norms.l2 + 1e-6);
    }
  });

  it("gives the same for the same seed, whatever the size of a run, with logits or probabilities", async () => {
    const first = await invert(descriptor);
    expect(await invert(descriptor)).toEqual(first);
    const others = [
      await open(model(), { batch: 2 }),
      await open(model({ softmax: true })),
      await open(model({ batch: 3 })),
    ];
    for (const other of others) {
      const again = await invert(descriptor, { context: { classifier: other } });
      for (const [i, { losses, trigger }] of again.entries()) {
        expect(losses).toBeAllclose(first[i]!.losses, { atol: 2e-4 });
        expect(stamp(images, trigger).data).toBeAllclose(stamp(images, first[i]!.trigger).data, { atol: 2e-3 });
      }
    }
  });

  it("finds for a class alone what it finds among others", async () => {
    const [alone] = await invert(descriptor, { request: { images, labels, classes: [0] } });
    const [, among] = await invert(descriptor);
    expect(alone!.losses).toBeAllclose(among!.losses, { atol: 1e-5 });
    expect(stamp(images, alone!.trigger).data).toBeAllclose(stamp(images, among!.trigger).data, { atol: 1e-4 });
  });

  it("asks the classifier where nobody says what the images show, and leaves out what cannot be learned", async () => {
    const [own] = (await classifier.classify(images)).scores.data
      .slice(0, CLASSES)
      .reduce((best, score, k) => (score > best[1]! ? [k, score] : best), [0, Number.NEGATIVE_INFINITY]);
    const one = float32([1, CHANNELS, HEIGHT, WIDTH], images.data.slice(0, SIZE));
    const found = await invert(descriptor, { request: { images: one, classes: [0, 1, 2, 3] } });
    expect(found.map(({ target }) => target)).toEqual([0, 1, 2, 3].filter((k) => k !== own));
    for (const { success } of found) expect(success.others).toEqual({ hits: 0, total: 0 });
  });

  it("reports progress to the end", async () => {
    const shares: number[] = [];
    await invert(descriptor, { run: runOf(1, { progress: (done, total) => shares.push(done / total) }) });
    expect(shares.at(-1)).toBeCloseTo(1, 9);
    expect(shares).toEqual([...shares].sort((a, b) => a - b));
  });

  it("obeys an abort, before and during the work", async () => {
    const early = AbortSignal.abort();
    await expect(invert(descriptor, { run: runOf(1, { signal: early }) })).rejects.toBe(early.reason);
    const controller = new AbortController();
    const run = runOf(1, { signal: controller.signal, progress: () => controller.abort() });
    await expect(invert(descriptor, { run })).rejects.toMatchObject({ name: "AbortError" });
  });

  it("returns what it has when told that it is enough", async () => {
    const controller = new AbortController();
    const run = runOf(1, { enough: controller.signal, progress: () => controller.abort() });
    const found = await invert(descriptor, { run });
    expect(found.map(({ target }) => target)).toEqual([2, 0]);
    expect(found.some(({ complete }) => !complete)).toBe(true);
  });

  it("refuses what it cannot look into, in one sentence", async () => {
    const refuse = (over: object, message: RegExp | typeof OptionError) =>
      expect(invert(descriptor, over)).rejects.toThrow(message);
    await refuse({ context: { classifier: linearClassifier(4) } }, /expected a classifier from an ONNX file.*purify/);
    await refuse({ request: { images, labels, classes: [1, 4] } }, /expected classes from 0 to 3.*got 4/);
    await refuse({ request: { images, labels, classes: [] } }, /at least one class/);
    await refuse({ request: { images, labels: [1], classes: [1] } }, /a label for each of 7 images, got 1/);
    await refuse(
      { request: { images: float32([0, CHANNELS, HEIGHT, WIDTH]), classes: [1] } },
      /at least one clean image/,
    );
    const other = float32([1, 1, HEIGHT, WIDTH + 1]);
    await expect(invert(descriptor, { request: { images: other, classes: [1] } })).rejects.toThrow(ShapeError);
  });
});

describe("models that cannot be looked into", () => {
  it("answer one class, or no numbers", async () => {
    await expect(open(model({ classes: 1 }))).rejects.toThrow(/2 or more classes/);
    await expect(open(model({ scale: Number.NaN }))).rejects.toThrow(RuntimeFailure);
  });
});
