/** @file What every attack in the registry must do. A new attack is tested by being registered. */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { pageOf, withFacts } from "../../scripts/attack-pages.ts";
import type { AttackDescriptor, ComposingAttack, PoisoningAttack, PreparedAttack } from "../../src/attacks/attack.ts";
import { type LabelMapKind, singleTarget, targetOf } from "../../src/attacks/label-map.ts";
import { poisonedSet } from "../../src/attacks/poison.ts";
import { attacks } from "../../src/attacks/registry.ts";
import { idsOf } from "../../src/attacks/test-set.ts";
import { parseOptions } from "../../src/core/descriptor.ts";
import { OptionError } from "../../src/core/errors.ts";
import { createNoise } from "../../src/core/noise.ts";
import { classifierRecipe } from "../../src/jobs/training/recipe.ts";
import { architectures } from "../../src/nn/architectures/registry.ts";
import { concatRows, rowsOf, takeRows } from "../../src/tensor/rows.ts";
import type { Float32Tensor } from "../../src/tensor/tensor.ts";
import {
  attackContext,
  attackSettings,
  batchState,
  CLASSES,
  createAttack,
  dataOf,
  exactly,
  ITEMS,
  inRange,
  linearWithGradient,
  ratioFor,
  shapesOf,
  trainingImages,
  unitRows,
} from "../support/attack-context.ts";

const registry = Object.entries<AttackDescriptor>(attacks);
type Data = ReturnType<typeof dataOf>;

const settingsOf = (how: PreparedAttack["how"][]) =>
  attackSettings.filter(({ descriptor: { threat } }) => {
    if (threat === "evasion") return how.includes("evade");
    return how.includes(threat === "training" || threat === "loss" ? "compose" : "poison");
  });

describe("attack registry", () => {
  it("has every attack file, under its own name", () => {
    const helpers = ["attack", "blind-patterns", "index", "kernels", "label-map", "needs", "open-trigger", "paint"];
    helpers.push(
      "poison",
      "poisoning",
      "registry",
      "roles",
      "test-set",
      "texture",
      "trigger",
      "trigger-folder",
      "two-tasks",
    );
    const files = readdirSync(new URL("../../src/attacks/", import.meta.url))
      .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"))
      .map((file) => file.replace(/\.ts$/, ""))
      .filter((file) => !helpers.includes(file));
    expect(Object.keys(attacks).sort()).toEqual(files.sort());
    for (const [name, { name: own }] of registry) expect(own).toBe(name);
  });
});

describe.each(registry)("%s", (_, descriptor) => {
  it("describes itself, every option, and has a default for each", () => {
    expect(descriptor.summary).toMatch(/^[A-Z].*\.$/);
    expect(descriptor.source).toMatch(/https?:\/\//);
    expect(Object.keys(parseOptions(descriptor, {}))).toEqual(Object.keys(descriptor.options.shape));
    for (const option of Object.values(descriptor.options.shape)) expect(option.description).toMatch(/\.$/);
  });

  it("has a paper preset or an official one, a recommended one, and all of them parse", () => {
    expect("paper" in descriptor.presets || "official" in descriptor.presets).toBe(true);
    expect(descriptor.presets).toHaveProperty("recommended");
    for (const raw of Object.values(descriptor.presets)) expect(() => parseOptions(descriptor, raw)).not.toThrow();
  });

  it("has a page whose facts are the registry's (scripts/attack-pages.ts writes them)", () => {
    const page = readFileSync(pageOf(descriptor.name), "utf8");
    expect(withFacts(page, descriptor)).toBe(page);
  });

  it("refuses what it cannot do in one sentence, before any work", async () => {
    expect(shapesOf(descriptor).length).toBeGreaterThan(0);
    const fitting = dataOf(shapesOf(descriptor)[0]!);
    const refusal = async (data: Data, without: object = {}) =>
      descriptor.create(parseOptions(descriptor, {}), { ...(await attackContext(data)), ...without });
    const { needs } = descriptor;
    if (needs.colour === true) {
      await expect(refusal(trainingImages(20, [1, 28, 28]))).rejects.toThrow(/expected images of 3 channels, got 1/);
    }
    if (needs.side !== undefined) {
      await expect(refusal(trainingImages(20, [3, 3, 3]))).rejects.toThrow(/expected images of at least \d+ pixels/);
    }
    if (needs.surrogate === true) {
      await expect(refusal(fitting, { surrogate: undefined })).rejects.toThrow(/trained on clean data, got none/);
    }
    if (needs.runtime === true) {
      await expect(refusal(fitting, { runtime: undefined })).rejects.toThrow(/expected a runtime .*, got none/);
    }
    if ("target" in descriptor.options.shape) {
      const refused = createAttack(descriptor, { target: CLASSES }, shapesOf(descriptor)[0]!);
      await expect(refused).rejects.toThrow(/expected target from 0 to 9, got 10/);
    }
  });

  it("has options that no training has, so that --set is unambiguous", () => {
    const others = [classifierRecipe, ...Object.values(architectures).map(({ options }) => options)];
    const taken = others.flatMap(({ shape }) => Object.keys(shape));
    expect(Object.keys(descriptor.options.shape).filter((option) => taken.includes(option))).toEqual([]);
  });

  it.skipIf(!("labels" in descriptor.options.shape))("makes each label map that it names", async () => {
    const shape = shapesOf(descriptor)[0]!;
    const raw: Record<LabelMapKind, object> = {
      "all-to-one": { target: 2, sources: [] },
      "all-to-all": { sources: [] },
      "source-to-target": { sources: [1, 4], target: 2 },
    };
    for (const labels of descriptor.labelMaps) {
      const attack = await createAttack(descriptor, { labels, ...raw[labels] }, shape);
      if (attack.how === "evade") throw new Error("an evasion has no labels");
      const trigger = await attack.trigger();
      expect(trigger.labels.kind).toBe(labels);
      if (attack.how === "poison") {
        const { labels: after, indices, triggered } = await attack.poison({});
        indices.forEach((index, row) => {
          const before = dataOf(shape).labels[index]!;
          if (triggered[row] === 1) expect(after[row]).toBe(targetOf(trigger.labels, before));
        });
      }
      await attack.dispose();
    }
    const wrong = createAttack(descriptor, { labels: "source-to-target", sources: [0], target: 0 }, shape);
    await expect(wrong).rejects.toThrow(OptionError);
  });
});

describe.each(settingsOf(["poison"]))("$title", ({ descriptor, raw, shape }) => {
  it("poisons exactly what was asked for", async () => {
    const data = dataOf(shape);
    const attack = (await createAttack(descriptor, raw, shape)) as PoisoningAttack;
    expect(attack.how).toBe("poison");
    const trigger = await attack.trigger();
    const shares: number[] = [];
    const rows = await attack.poison({ progress: (done, total) => void shares.push(done / total) });
    expect(shares.at(-1)).toBe(1);
    const { indices, images, labels, triggered } = rows;
    const ofEligible = /eligible/.test(descriptor.options.shape["poisonRatio"]?.description ?? "");
    const eligible = Array.from(data.labels).filter((label) => targetOf(trigger.labels, label) !== undefined).length;
    const share = ratioFor(descriptor) * (ofEligible ? eligible : ITEMS);
    expect(triggered.reduce((sum, one) => sum + one, 0)).toBe(Math.round(share));
    expect([...indices]).toEqual([...new Set(indices)].sort((a, b) => a - b));
    expect(images.dims).toEqual([indices.length, ...data.images.dims.slice(1)]);
    expect(exactly(images)).not.toBe(exactly(takeRows(data.images, indices)));
    indices.forEach((index, row) => {
      const label = data.labels[index]!;
      const stays = descriptor.threat === "clean-label" || triggered[row] === 0;
      expect(labels[row]).toBe(stays ? label : targetOf(trigger.labels, label));
      if (descriptor.threat === "clean-label") expect(label).toBe(singleTarget(trigger.labels));
    });

    const again = await attack.poison({});
    expect([again.indices, again.labels, exactly(again.images)]).toEqual([indices, labels, exactly(images)]);
    const whole = poisonedSet(data, rows);
    expect(exactly(takeRows(whole.images, indices))).toBe(exactly(images));
    const untouched = [...Array(ITEMS).keys()].filter((i) => !indices.includes(i));
    expect(exactly(takeRows(whole.images, untouched))).toBe(exactly(takeRows(data.images, untouched)));
    const signal = AbortSignal.abort();
    await expect(attack.poison({ signal })).rejects.toBe(signal.reason);
    await attack.dispose();
  });

  it("refuses a ratio that cannot be met, with the one that can", async () => {
    const context = await attackContext(dataOf(shape));
    const refusal = async (poisonRatio: number) =>
      descriptor.create(parseOptions(descriptor, { ...raw, poisonRatio }), context);
    await expect(refusal(1e-9)).rejects.toThrow(/expected a poison ratio that makes at least one image of \d+/);
    if (descriptor.threat === "clean-label") {
      await expect(refusal(0.2)).rejects.toThrow(
        /at most 0.1, since 20 of 200 training images are images of class 0, got 0.2/,
      );
    }
  });
});

describe.each(settingsOf(["compose"]))("$title", ({ descriptor, raw, shape }) => {
  it("composes batches that the loss can read, the same for the same step", async () => {
    const attack = (await createAttack(descriptor, raw, shape)) as ComposingAttack;
    expect(attack.how).toBe("compose");
    const n = 40;
    const indices = Int32Array.from({ length: n }, (_, i) => (i * 7) % ITEMS);
    const images = takeRows(unitRows(dataOf(shape), ITEMS), indices);
    const labels = indices.map((index) => dataOf(shape).labels[index]!);
    const before = exactly(images);
    const composed = await attack.compose({ images, labels, indices }, batchState(indices));
    expect(exactly(images)).toBe(before);
    const rows = attack.rows(n);
    expect(composed.images.dims).toEqual([rows, ...images.dims.slice(1)]);
    expect(composed.targets.dims).toEqual([rows, CLASSES]);
    expect(composed.weights.dims).toEqual([rows]);
    expect(inRange(composed.images)).toBe(true);
    expect(composed.weights.data.every((weight) => weight >= 0)).toBe(true);
    const targetRow = (row: number) => composed.targets.data.subarray(row * CLASSES, (row + 1) * CLASSES);
    for (let row = 0; row < rows; row++)
      expect(targetRow(row).reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 5);
    expect([...Array(rows).keys()].some((row) => row >= n || targetRow(row)[labels[row]!] !== 1)).toBe(true);

    const fresh = (await createAttack(descriptor, raw, shape)) as ComposingAttack;
    const same = await fresh.compose({ images, labels, indices }, batchState(indices));
    for (const part of ["images", "targets", "weights"] as const)
      expect(exactly(same[part])).toBe(exactly(composed[part]));
    await attack.dispose();
    await fresh.dispose();
  });
});

describe.each(settingsOf(["evade"]))("$title", ({ descriptor, raw, shape }) => {
  it("changes images against a classifier, within range, each as alone", async () => {
    const attack = await createAttack(descriptor, raw, shape);
    if (attack.how !== "evade") throw new Error("expected an evasion");
    const classifier = linearWithGradient(CLASSES);
    const images = unitRows(dataOf(shape), 4);
    const before = exactly(images);
    const evade = (rows: Float32Tensor, labels: number[]) =>
      attack.evade(rows, labels, { classifier, run: { noise: createNoise(1, idsOf(rows)) } });
    const changed = await evade(images, [0, 1, 2, 3]);
    expect(exactly(images)).toBe(before);
    expect(inRange(changed)).toBe(true);
    const losses = async (x: Float32Tensor) => (await classifier.lossGradient(x, [0, 1, 2, 3])).losses.data;
    const clean = await losses(images);
    for (const [row, loss] of (await losses(changed)).entries()) expect(loss).toBeGreaterThan(clean[row]!);
    const alone = await Promise.all([0, 1, 2, 3].map((row) => evade(rowsOf(images, row, row + 1), [row])));
    expect(exactly(concatRows(alone))).toBe(exactly(changed));
    const signal = AbortSignal.abort();
    const late = attack.evade(images, [0, 1, 2, 3], { classifier, run: { noise: createNoise(1, []), signal } });
    await expect(late).rejects.toBe(signal.reason);
    await attack.dispose();
  });
});
