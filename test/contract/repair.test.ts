/** @file What every repair in the registry must do. A new repair is tested by being registered. */
import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parseOptions } from "../../src/core/descriptor.ts";
import { OptionError } from "../../src/core/errors.ts";
import { graphToBytes } from "../../src/graph/to-model.ts";
import { repairs } from "../../src/repair/registry.ts";
import type { RepairContext, RepairDescriptor, Repaired } from "../../src/repair/repair.ts";
import { float32 } from "../../src/tensor/tensor.ts";
import { inferenceForm } from "../../src/training/inference-form.ts";
import { netOf, repairContext } from "../support/repair-context.ts";
import { runModel } from "../support/run-model.ts";
import { tinyNet } from "../support/tiny-training.ts";

const registry = Object.entries<RepairDescriptor>(repairs);

/** Every preset, with as much work as a test has time for. */
const settings = registry.flatMap(([name, descriptor]) =>
  Object.entries(descriptor.presets).map(([preset, raw]) => {
    const short = { epochs: 2, iterations: 20, batch: 30, crop: 0, steps: 2 };
    const own = Object.entries(short).filter(([key]) => Object.hasOwn(descriptor.options.shape, key));
    return { title: `${name} ${preset}`, descriptor, raw: { ...raw, ...Object.fromEntries(own) } };
  }),
);

async function repaired(
  descriptor: RepairDescriptor,
  raw: object,
  changes: Partial<RepairContext> = {},
): Promise<Repaired> {
  const context = { ...(await repairContext()), ...changes };
  const repair = await descriptor.create(parseOptions(descriptor, { ...raw }), context);
  return await repair.repair();
}

describe("repair registry", () => {
  it("has every method file, under its own name", () => {
    const helpers = ["adversarial-batches", "choose-threshold", "fit-batch", "index", "registry", "repair"];
    helpers.push("split-images", "tuning");
    const files = readdirSync(new URL("../../src/repair/", import.meta.url))
      .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"))
      .map((file) => file.replace(/\.ts$/, ""))
      .filter((file) => !helpers.includes(file));
    expect(Object.keys(repairs).sort()).toEqual(files.sort());
    for (const [name, { name: own }] of registry) expect(own).toBe(name);
  });
});

describe.each(registry)("%s", (_, descriptor) => {
  it("describes itself, every option, and has a default for each", () => {
    expect(descriptor.summary).toMatch(/^[A-Z].*\.$/);
    expect(descriptor.source).toMatch(/https:\/\//);
    expect(Object.keys(parseOptions(descriptor, {}))).toEqual(Object.keys(descriptor.options.shape));
    for (const option of Object.values(descriptor.options.shape)) expect(option.description).toMatch(/\.$/);
  });

  it("has a paper preset, an official and a recommended one, and all of them parse", () => {
    expect(Object.keys(descriptor.presets)).toEqual(["paper", "official", "recommended"]);
    for (const raw of Object.values(descriptor.presets)) expect(() => parseOptions(descriptor, raw)).not.toThrow();
  });

  it("refuses a network that takes more images at a time than there are", async () => {
    const net = netOf(tinyNet(100), [1, 6, 6]);
    const refusal = repaired(descriptor, {}, { net });
    await expect(refusal).rejects.toThrow(/expected at least 100 images to learn from, .* got 90/);
    await expect(refusal).rejects.toThrow(OptionError);
  });

  it("mends a network that takes a fixed number of images", async () => {
    const short = { epochs: 1, iterations: 2, steps: 1 };
    const own = Object.entries(short).filter(([key]) => Object.hasOwn(descriptor.options.shape, key));
    const net = netOf(tinyNet(40), [1, 6, 6]);
    const { graph } = await repaired(descriptor, Object.fromEntries(own), { net });
    expect(graph.inputs[0]?.dims).toEqual([40, 1, 6, 6]);
  });
});

describe.each(settings)("$title", ({ descriptor, raw }) => {
  it("gives the same network with other finite numbers, the same for the same seed", async () => {
    const shares: number[] = [];
    const progress = (done: number, total: number): void => void shares.push(done / total);
    const context = await repairContext();
    const before = context.net.graph;
    const bytes = graphToBytes(before);
    const result = await repaired(descriptor, raw, { progress });
    expect(graphToBytes(before)).toEqual(bytes);
    expect(result.graph.nodes.map(({ op }) => op)).toEqual(inferenceForm(before).nodes.map(({ op }) => op));
    expect(result.graph.outputs).toEqual(before.outputs);
    for (const { data } of result.graph.initializers.values()) {
      expect(Array.from(data, Number).every(Number.isFinite)).toBe(true);
    }
    const x = float32(
      [2, 1, 6, 6],
      Array.from({ length: 72 }, (_, i) => (i % 7) / 7),
    );
    const { logits } = await runModel(graphToBytes(result.graph), { x });
    expect(logits?.dims).toEqual([2, 3]);
    expect([shares.at(-1), shares.length]).toEqual([1, result.losses.length]);
    expect(result.losses.every(Number.isFinite)).toBe(true);

    const again = await repaired(descriptor, raw);
    expect(graphToBytes(again.graph)).toEqual(graphToBytes(result.graph));
    expect(again.losses).toEqual(result.losses);
    const other = await repaired(descriptor, raw, { seed: 4 });
    expect(other.losses).not.toEqual(result.losses);
  });

  it("says what it has switched off", async () => {
    const { pruned, threshold, curve } = await repaired(descriptor, raw);
    const found = curve.find(({ at }) => at === threshold);
    expect(found === undefined).toBe(threshold === null);
    expect(pruned.reduce((sum, { channels }) => sum + channels.length, 0)).toBe(found?.pruned ?? 0);
    for (const { channels, of } of pruned) {
      expect([...channels]).toEqual([...new Set(channels)].sort((a, b) => a - b));
      expect(channels.length).toBeLessThanOrEqual(of);
    }
  });

  it("obeys an abort", async () => {
    const signal = AbortSignal.abort();
    await expect(repaired(descriptor, raw, { signal })).rejects.toBe(signal.reason);
    const late = new AbortController();
    const stopped = repaired(descriptor, raw, { signal: late.signal, progress: () => late.abort() });
    await expect(stopped).rejects.toThrow(/abort/i);
  });
});
