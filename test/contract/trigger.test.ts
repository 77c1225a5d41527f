/** @file What every kind of trigger keeps to, through the attacks that make them: images, folders, test sets. */
import { readdirSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { PreparedAttack } from "../../src/attacks/attack.ts";
import { triggerKinds } from "../../src/attacks/kinds/registry.ts";
import { singleTarget, targetOf } from "../../src/attacks/label-map.ts";
import { openTrigger } from "../../src/attacks/open-trigger.ts";
import { controlTestSet, idsOf, triggeredTestSet } from "../../src/attacks/test-set.ts";
import type { Trigger, TriggerKind } from "../../src/attacks/trigger.ts";
import { readTrigger, triggerFiles } from "../../src/attacks/trigger-folder.ts";
import { FormatError, ShapeError } from "../../src/core/errors.ts";
import { createNoise } from "../../src/core/noise.ts";
import { bytesFromUnit, unitFromBytes } from "../../src/tensor/image-bytes.ts";
import { concatRows, rowsOf } from "../../src/tensor/rows.ts";
import { type Float32Tensor, float32 } from "../../src/tensor/tensor.ts";
import {
  attackContext,
  attackSettings,
  CLASSES,
  createAttack,
  dataOf,
  exactly,
  inRange,
  trainingImages,
  unitRows,
} from "../support/attack-context.ts";

const apply = (trigger: Trigger, images: Float32Tensor): Promise<Float32Tensor> =>
  trigger.apply(images, { noise: createNoise(1, idsOf(images)) });

describe("kinds of trigger", () => {
  it("are the files of their folder, under their own names", () => {
    const files = readdirSync(new URL("../../src/attacks/kinds/", import.meta.url))
      .filter(
        (file) => file.endsWith(".ts") && !file.endsWith(".test.ts") && !["kernels.ts", "registry.ts"].includes(file),
      )
      .map((file) => file.replace(/\.ts$/, ""));
    expect(Object.keys(triggerKinds).sort()).toEqual(files.sort());
    for (const [name, kind] of Object.entries(triggerKinds)) expect(kind.name).toBe(name);
  });

  it.each(Object.entries<TriggerKind>(triggerKinds))("%s describes itself and its parameters", (_, kind) => {
    expect(kind.summary).toMatch(/^[A-Z].*\.$/);
    for (const parameter of Object.values(kind.parameters.shape)) expect(parameter.description).toMatch(/\.$/);
  });
});

describe.each(attackSettings.filter(({ descriptor }) => descriptor.threat !== "evasion"))(
  "$title",
  ({ descriptor, raw, shape }) => {
    let attack: Exclude<PreparedAttack, { how: "evade" }>;
    let trigger: Trigger;
    beforeAll(async () => {
      attack = (await createAttack(descriptor, raw, shape)) as typeof attack;
      trigger = await attack.trigger();
    });
    afterAll(() => attack.dispose());

    it("keeps dims, range and its input, and says what it is", async () => {
      expect(trigger).toMatchObject({ attack: descriptor.name, source: descriptor.source, shape, seed: 3 });
      const images = unitRows(dataOf(shape), 4);
      const before = exactly(images);
      const triggered = await apply(trigger, images);
      expect(exactly(images)).toBe(before);
      expect(triggered.dims).toEqual(images.dims);
      expect(inRange(triggered)).toBe(true);
      expect(exactly(triggered)).not.toBe(before);
      const taller = unitRows(trainingImages(2, [shape[0], shape[1] + 1, shape[2]]), 2);
      await expect(apply(trigger, taller)).rejects.toThrow(ShapeError);
      const signal = AbortSignal.abort();
      await expect(trigger.apply(images, { noise: createNoise(1, []), signal })).rejects.toBe(signal.reason);
    });

    it("triggers four images as it triggers each alone, and the same for the same seed", async () => {
      const again = (await createAttack(descriptor, raw, shape)) as typeof attack;
      const images = unitRows(dataOf(shape), 4);
      const together = await apply(trigger, images);
      expect(exactly(await apply(await again.trigger(), images))).toBe(exactly(together));
      const alone = await Promise.all([0, 1, 2, 3].map((row) => apply(trigger, rowsOf(images, row, row + 1))));
      expect(exactly(concatRows(alone))).toBe(exactly(together));
      await again.dispose();
    });

    it("is a folder that does the same alone", async () => {
      const files = triggerFiles(trigger);
      const { runtime } = await attackContext(dataOf(shape));
      const copy = await readTrigger(async (name) => files[name]!, { runtime });
      const images = unitRows(dataOf(shape), 4);
      expect(exactly(await apply(copy, images))).toBe(exactly(await apply(trigger, images)));
      const hex = (all: Record<string, Uint8Array>) =>
        Object.entries(all).map(([name, bytes]) => [name, Buffer.from(bytes).toString("base64")]);
      expect(hex(triggerFiles(copy))).toEqual(hex(files));
      const json = JSON.parse(new TextDecoder().decode(files["trigger.json"]));
      expect(json).toMatchObject({ kind: trigger.kind, attack: descriptor.name, seed: 3 });
      expect(json.target).toBe(singleTarget(trigger.labels));
      await copy.dispose();
    });

    it("refuses a folder whose arrays are missing or of another shape", async () => {
      const { runtime } = await attackContext(dataOf(shape));
      for (const name of Object.keys(trigger.arrays)) {
        const { [name]: _, ...rest } = trigger.arrays;
        await expect(openTrigger({ ...trigger, arrays: rest }, { runtime })).rejects.toThrow(FormatError);
        const scalar = { ...rest, [name]: float32([1]) };
        await expect(openTrigger({ ...trigger, arrays: scalar }, { runtime })).rejects.toThrow(FormatError);
      }
    });

    it("makes test sets of the classes that it concerns, in 8 bits, whatever the batch", async () => {
      const clean = { images: unitRows(dataOf(shape), 24), labels: dataOf(shape).labels };
      const whole = await triggeredTestSet(trigger, clean);
      expect(exactly((await triggeredTestSet(trigger, clean, { batch: 5 })).images)).toBe(exactly(whole.images));
      const concerned = [...Array(24).keys()].filter((i) => targetOf(trigger.labels, i % CLASSES) !== undefined);
      expect([...whole.indices]).toEqual(concerned);
      expect([...whole.labels]).toEqual(concerned.map((i) => i % CLASSES));
      expect([...whole.targets]).toEqual(concerned.map((i) => targetOf(trigger.labels, i % CLASSES)));
      expect(exactly(unitFromBytes(whole.images.dims, bytesFromUnit(whole.images)))).toBe(exactly(whole.images));
      const control = await controlTestSet(trigger, clean, { batch: 5 });
      expect(control === undefined).toBe(trigger.control === undefined);
      if (control === undefined) return;
      expect(control.dims).toEqual(clean.images.dims);
      expect(exactly(control)).not.toBe(exactly(clean.images));
      expect(exactly((await controlTestSet(trigger, clean)) ?? control)).toBe(exactly(control));
    });
  },
);
