/** @file What every purifier in the registry must do. A new purifier is tested by being registered. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parseOptions } from "../../src/core/descriptor.ts";
import { OptionError, ShapeError } from "../../src/core/errors.ts";
import { lookUp } from "../../src/core/names.ts";
import { createNoise, type ImageId } from "../../src/core/noise.ts";
import type { RunContext } from "../../src/core/run-context.ts";
import type { PurifierDescriptor } from "../../src/purify/purifier.ts";
import { purifiers } from "../../src/purify/registry.ts";
import { rowsOf } from "../../src/tensor/rows.ts";
import { type Float32Tensor, float32 } from "../../src/tensor/tensor.ts";
import { gaussianPrior, linearClassifier } from "../support/gaussian-prior.ts";

/** Sides of the test images: not square, and no multiple of every block size. */
const [HEIGHT, WIDTH] = [8, 10];

const ids = (from: number, to: number): ImageId[] => Array.from({ length: to - from }, (_, i) => [from + i, 3]);

function imagesOf(count: number, channels: number): Float32Tensor {
  const length = count * channels * HEIGHT * WIDTH;
  return float32(
    [count, channels, HEIGHT, WIDTH],
    Float32Array.from({ length }, (_, i) => ((i * 7919) % 256) / 255),
  );
}

const runOf = (seed = 1, rows = ids(0, 4)): RunContext => ({ noise: createNoise(seed, rows) });

/** Every option set of every preset; a few dozen masks do for a contract. */
const settings = Object.values<PurifierDescriptor>(purifiers).flatMap((descriptor) =>
  Object.entries(descriptor.presets).flatMap(([preset, sets]) =>
    [...new Set(sets)].map((set, i) => ({
      title: `${descriptor.name} ${preset}${i === 0 ? "" : ` ${i + 1}`}`,
      descriptor,
      raw: "masks" in descriptor.options.shape ? { ...set, masks: 40 } : set,
    })),
  ),
);

const assets = (channels: number) => ({
  prior: gaussianPrior(channels, HEIGHT, WIDTH),
  classifier: linearClassifier(4),
});

const open = (descriptor: PurifierDescriptor, raw: Record<string, unknown>, channels = 3) =>
  descriptor.create(parseOptions(descriptor, raw), assets(channels));

describe("purifier registry", () => {
  it("has every method file, under its own name", () => {
    const helpers = ["chain", "composite-mask", "evidence", "index", "kernels", "model-range", "mosaic", "needs"];
    helpers.push("pixel-levels", "purifier", "registry", "rise", "stages", "zip-operators");
    const files = readdirSync(new URL("../../src/purify/", import.meta.url))
      .filter((file) => !file.endsWith(".test.ts"))
      .map((file) => file.replace(/\.ts$/, ""))
      .filter((file) => !helpers.includes(file));
    expect(Object.keys(purifiers).sort()).toEqual(files.sort());
    for (const [name, { name: own }] of Object.entries(purifiers)) expect(own).toBe(name);
  });

  it("guesses a misspelt name", () => {
    expect(() => lookUp("purifier", "sampdetocks", purifiers)).toThrow(/Did you mean "sampdetox"\?/);
  });
});

describe.each(Object.values<PurifierDescriptor>(purifiers))("$name", (descriptor) => {
  it("describes itself, every option, and has a default for each", () => {
    expect(descriptor.summary).toMatch(/^[A-Z].*\.$/);
    expect(descriptor.source).not.toBe("");
    expect(Object.keys(parseOptions(descriptor, {}))).toEqual(Object.keys(descriptor.options.shape));
    for (const option of Object.values(descriptor.options.shape)) expect(option.description).toMatch(/\.$/);
  });

  it("has a paper preset or an official one, and all of them parse", () => {
    expect("paper" in descriptor.presets || "official" in descriptor.presets).toBe(true);
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

  it("asks for what it needs", async () => {
    for (const [need, kind] of [["prior", "diffusion prior"] as const, ["classifier", "classifier"] as const]) {
      if (!descriptor.needs[need]) continue;
      const { [need]: _, ...rest } = assets(3);
      const refusal = descriptor.create(parseOptions(descriptor, {}), rest);
      await expect(refusal).rejects.toThrow(
        new OptionError(`${descriptor.name}: expected a ${kind}, got none. Give one.`),
      );
    }
  });

  it.skipIf(!descriptor.needs.prior)("refuses images that do not fit the prior, and says what to do", async () => {
    const purifier = await open(descriptor, {});
    const other = float32([2, 1, HEIGHT, WIDTH + 1]);
    const refusal = purifier.purify(other, runOf());
    await expect(refusal).rejects.toThrow(ShapeError);
    await expect(refusal).rejects.toThrow(/expected images of 3x8x10 .*got 1x8x11.*--fit.*--channels 3/);
  });

  it.skipIf(!descriptor.needs.prior)("refuses more steps than the prior's chain has", async () => {
    const short = { ...assets(3), prior: gaussianPrior(3, HEIGHT, WIDTH, 10) };
    const refusal = descriptor.create(parseOptions(descriptor, {}), short);
    await expect(refusal).rejects.toThrow(/expected at most 10, the steps of the prior's chain, got \d+/);
  });
});

describe.each(settings)("$title", ({ descriptor, raw }) => {
  it.each([1, 3])("keeps dims and range of %i-channel images and explains itself", async (channels) => {
    const purifier = await open(descriptor, raw, channels);
    const images = imagesOf(4, channels);
    const before = images.data.slice();
    const { images: purified, evidence } = await purifier.purify(images, runOf());
    expect(images.data).toEqual(before);
    expect(purified.dims).toEqual(images.dims);
    expect(purified.data).not.toEqual(before);
    expect(evidence).toHaveProperty("difference");
    for (const { dims, data } of [purified, ...Object.values(evidence)]) {
      expect(dims).toEqual([4, dims === purified.dims ? channels : 1, HEIGHT, WIDTH]);
      expect(data.every((value) => value >= 0 && value <= 1)).toBe(true);
    }
    for (const sigma of Object.values(purifier.sigma01)) expect(sigma).toBeGreaterThan(0);
  });

  it("gives the same for the same seed, and other results for another where it is random", async () => {
    const purifier = await open(descriptor, raw);
    const images = imagesOf(4, 3);
    const [first, second, other] = await Promise.all([1, 1, 2].map((seed) => purifier.purify(images, runOf(seed))));
    expect(second).toEqual(first);
    if (descriptor.name === "zip-transform") expect(other).toEqual(first);
    else expect(other).not.toEqual(first);
  });

  it("purifies four images as it purifies each alone", async () => {
    const purifier = await open(descriptor, raw);
    const images = imagesOf(4, 3);
    const together = await purifier.purify(images, runOf());
    for (let row = 0; row < 4; row++) {
      const alone = await purifier.purify(rowsOf(images, row, row + 1), runOf(1, ids(row, row + 1)));
      expect(alone.images).toEqual(rowsOf(together.images, row, row + 1));
      for (const [name, map] of Object.entries(together.evidence)) {
        expect(alone.evidence[name]).toEqual(rowsOf(map, row, row + 1));
      }
    }
  });

  it("reports progress to the end", async () => {
    const purifier = await open(descriptor, raw);
    const shares: number[] = [];
    await purifier.purify(imagesOf(2, 3), {
      ...runOf(),
      progress: (done, total) => {
        shares.push(done / total);
      },
    });
    expect(shares.at(-1)).toBeCloseTo(1, 9);
    expect(shares).toEqual([...shares].sort((a, b) => a - b));
  });

  it("obeys an abort, before and during the work", async () => {
    const purifier = await open(descriptor, raw);
    const early = AbortSignal.abort();
    await expect(purifier.purify(imagesOf(1, 3), { ...runOf(), signal: early })).rejects.toBe(early.reason);
    if (!descriptor.needs.prior) return;
    const controller = new AbortController();
    const progress = (done: number, total: number) => {
      if (done < total) controller.abort();
    };
    const late = purifier.purify(imagesOf(1, 3), { ...runOf(), signal: controller.signal, progress });
    await expect(late).rejects.toMatchObject({ name: "AbortError" });
  });
});
