/** @file Same seed, images and prior: the same bytes at any batch size, any number of threads, alone or in a folder. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Classifier } from "../../src/classifiers/classifier.ts";
import type { Prior } from "../../src/diffusion/prior.ts";
import { encodePng } from "../../src/images/node.ts";
import { purifyPictures } from "../../src/jobs/purify.ts";
import { listImages } from "../../src/node/list-images.ts";
import { openClassifierAt } from "../../src/node/open-classifier.ts";
import { openPictures } from "../../src/node/open-pictures.ts";
import { openPriorAt } from "../../src/node/open-prior.ts";
import { createNodeRuntime } from "../../src/runtime/node.ts";

interface Models {
  readonly prior: Prior;
  readonly classifier: Classifier;
}

const models = new Map<number, Models>();

beforeAll(async () => {
  for (const threads of [1, 2]) {
    const runtime = await createNodeRuntime({ device: "cpu", threads });
    models.set(threads, {
      prior: await openPriorAt("models/fashion-mnist-prior", runtime),
      classifier: await openClassifierAt("models/fashion-mnist-badnets/model.onnx", runtime),
    });
  }
});

afterAll(async () => {
  for (const { prior, classifier } of models.values()) {
    await prior.dispose();
    await classifier.dispose();
  }
});

/** PNG bytes by name. */
async function purified(
  method: string,
  files: readonly string[],
  { batch, threads, options }: { batch: number; threads: number; options?: Record<string, unknown> },
): Promise<Map<string, string>> {
  const pictures = await openPictures(await listImages(files));
  const bytes = new Map<string, string>();
  await purifyPictures(
    { method, options, batch, seed: 11 },
    {
      ...models.get(threads),
      pictures: pictures.read(),
      sink: async (results) => {
        for (const { input, output } of results) {
          bytes.set(input.name.split("/").at(-1) ?? "", Buffer.from(await encodePng(output)).toString("base64"));
        }
      },
    },
  );
  return bytes;
}

const folder = "models/fashion-mnist-badnets/images";
const file = (i: number): string => `${folder}/${String(i).padStart(5, "0")}.png`;

describe("the same PNG bytes", () => {
  test("of 64 pictures at batch 1, 16 and 64, on 1 and 2 threads", async () => {
    const expected = await purified("diffpure", [folder], { batch: 64, threads: 1 });
    expect(expected.size).toBe(64);
    for (const [batch, threads] of [
      [1, 1],
      [16, 1],
      [64, 2],
      [16, 2],
      [1, 2],
    ] as const) {
      expect(await purified("diffpure", [folder], { batch, threads }), `batch ${batch}, ${threads} threads`).toEqual(
        expected,
      );
    }
  });

  test.each([
    ["sampdetox", {}],
    ["zip", {}],
    ["sancdifi", { masks: 60 }],
    ["shrink-pad", {}],
  ])("of a picture alone and in a folder: %s", async (method, options) => {
    const files = [0, 1, 2, 3, 4].map(file);
    const together = await purified(method, files, { batch: 64, threads: 2, options });
    const alone = await purified(method, [file(3)], { batch: 1, threads: 1, options });
    expect(alone.get("00003")).toBe(together.get("00003"));
  });
});
