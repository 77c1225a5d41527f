/** @file The models that ship are what their records say: measured again on all test images, as they are loaded. */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { readTrigger } from "../../src/attacks/trigger-folder.ts";
import { toProbabilities } from "../../src/classifiers/probability.ts";
import { sha256Hex } from "../../src/core/hash.ts";
import { fashionMnist } from "../../src/data/fashion-mnist.ts";
import { measureBackdoor } from "../../src/jobs/attack/measure.ts";
import { hashFiles } from "../../src/jobs/attack/record.ts";
import { cleanAccuracy } from "../../src/metrics/accuracy.ts";
import type { Count } from "../../src/metrics/count.ts";
import { findDataset } from "../../src/node/find-dataset.ts";
import { folderSource } from "../../src/node/folder-source.ts";
import { openClassifierAt } from "../../src/node/open-classifier.ts";
import { readTrainingData } from "../../src/node/training-data.ts";
import { attackRecord } from "../../src/results/attack-record.ts";
import { createNodeRuntime } from "../../src/runtime/node.ts";
import { unitFromBytes } from "../../src/tensor/image-bytes.ts";

const zoo = "models/zoo";
const names = readdirSync(zoo);
const recordOf = (name: string): Record<string, unknown> =>
  JSON.parse(readFileSync(`${zoo}/${name}/training.json`, "utf8")) as Record<string, unknown>;
const backdoored = names.filter((name) => "attack" in recordOf(name));
const clean = names.filter((name) => !backdoored.includes(name));

const images = await findDataset(fashionMnist).then(
  () => readTrainingData("fashion-mnist"),
  () => undefined,
);
/** Images near a boundary may fall on its other side where a processor sums in another order. */
const NEAR = 5;
/** Milliseconds for some 30,000 images, also beside other tests. */
const PATIENCE = 240_000;

test("six backdoored models of different families, and two clean ones", () => {
  expect([backdoored.length, clean.length]).toEqual([6, 2]);
  const families = backdoored.map((name) => {
    const { kind } = JSON.parse(readFileSync(`${zoo}/${name}/trigger/trigger.json`, "utf8")) as { kind: string };
    return `${kind} ${String(recordOf(name)["threat"])}`;
  });
  expect(new Set(families).size).toBeGreaterThanOrEqual(5);
});

test.each(backdoored)("%s: its record names the files that are there", (name) => {
  const record = attackRecord.parse(recordOf(name));
  expect(sha256Hex(readFileSync(`${zoo}/${name}/model.onnx`))).toBe(record.modelSha256);
  const files = readdirSync(`${zoo}/${name}/trigger`);
  const read = files.map((file) => [file, new Uint8Array(readFileSync(`${zoo}/${name}/trigger/${file}`))] as const);
  expect(hashFiles(Object.fromEntries(read))).toBe(record.triggerSha256);
});

describe.skipIf(images === undefined)("on the test images of Fashion-MNIST (dataset-fashion-mnist)", () => {
  const runtime = createNodeRuntime({ threads: 1 });

  test.each(backdoored)(
    "%s does what its record says",
    async (name) => {
      if (images === undefined) throw new Error("no images");
      const classifier = await openClassifierAt(`${zoo}/${name}`, await runtime);
      const trigger = await readTrigger(folderSource(`${zoo}/${name}/trigger`), { runtime: await runtime });
      const { control, ...counts } = await measureBackdoor(classifier, trigger, images.test);
      const told = attackRecord.parse(recordOf(name)).counts;
      for (const [key, { hits, total }] of Object.entries<Count>(counts)) {
        expect([key, total]).toEqual([key, told[key]?.total]);
        expect(Math.abs(hits - (told[key]?.hits ?? 0)), key).toBeLessThanOrEqual(NEAR);
      }
      expect(control === undefined).toBe(told["control"] === undefined);
      await trigger.dispose();
      await classifier.dispose();
    },
    PATIENCE,
  );

  test.each(clean)(
    "%s does what its record says",
    async (name) => {
      if (images === undefined) throw new Error("no images");
      const classifier = await openClassifierAt(`${zoo}/${name}`, await runtime);
      const { images: test, labels } = images.test;
      const scores = toProbabilities(await classifier.classify(unitFromBytes(test.dims, test.data)));
      const { hits, total } = cleanAccuracy(scores, labels);
      const { accuracy, measuredOn } = recordOf(name) as { accuracy: number; measuredOn: number };
      expect(total).toBe(measuredOn);
      expect(Math.abs(hits - accuracy * total)).toBeLessThanOrEqual(NEAR);
      await classifier.dispose();
    },
    PATIENCE,
  );
});
