import { expect, test } from "vitest";
import { float32 } from "../tensor/tensor.ts";
import type { LabelledBatch } from "../training/batches/labelled.ts";
import type { PixelGradient } from "../training/pixel-gradient.ts";
import type { TrainingState } from "../training/state.ts";
import { adversarialBatches, type PixelAttack } from "./adversarial-batches.ts";

const clean: LabelledBatch = {
  images: float32([2, 1, 1, 2], [0.5, 0.5, 0, 1]),
  targets: float32([2, 2], [1, 0, 0, 1]),
  weights: float32([2], [1, 1]),
};
/** A loss that grows with the first pixel and falls with the second. */
const pixels: PixelGradient = {
  gradient: async (_, images) => float32(images.dims, [1, -1, 1, -1]),
  dispose: async () => undefined,
};
const state = { weights: new Float32Array(1), statistics: new Float32Array(0) } as TrainingState;
const attack: PixelAttack = { epsilon: 25.5, stepSize: 10.2, steps: 4, randomStart: false, keep: "last" };
const open = (changes: Partial<PixelAttack>, seed = 1) =>
  adversarialBatches(async () => clean, { attack: { ...attack, ...changes }, pixels, seed });

test("climbs the loss, within its reach and within [0, 1]", async () => {
  const { images, targets } = await open({})(0, state);
  expect(images.data).toBeAllclose([0.6, 0.4, 0.1, 0.9], { atol: 1e-6 });
  expect(targets).toBe(clean.targets);
  expect((await open({ steps: 1 })(0, state)).images.data).toBeAllclose([0.54, 0.46, 0.04, 0.96], { atol: 1e-6 });
  expect(clean.images.data).toEqual(Float32Array.of(0.5, 0.5, 0, 1));
});

test("keeps the clean images and those of every step, where asked", async () => {
  const { images, targets, weights } = await open({ keep: "all", steps: 2 })(0, state);
  expect([images.dims, targets.dims, weights.dims]).toEqual([[6, 1, 1, 2], [6, 2], [6]]);
  expect(images.data.slice(0, 4)).toEqual(clean.images.data);
  expect(images.data.slice(8, 10)).toBeAllclose([0.58, 0.42], { atol: 1e-6 });
});

test("starts at random within its reach, by seed and step", async () => {
  const start = { randomStart: true, stepSize: 1e-9, steps: 1 };
  const first = (await open(start)(3, state)).images;
  expect(first.data.some((x, i) => Math.abs(x - clean.images.data[i]!) > 0.01)).toBe(true);
  for (const [i, x] of first.data.entries()) expect(Math.abs(x - clean.images.data[i]!)).toBeLessThanOrEqual(0.1001);
  expect((await open(start)(3, state)).images).toEqual(first);
  expect((await open(start)(4, state)).images).not.toEqual(first);
  expect((await open(start, 2)(3, state)).images).not.toEqual(first);
});
