import { describe, expect, it } from "vitest";
import { linearWithFeatures, trainingImages, unitRows } from "../../../test/support/attack-context.ts";
import { rowsOf } from "../../tensor/rows.ts";
import { float32 } from "../../tensor/tensor.ts";
import { collide, nearestPairs } from "./collide.ts";
import { exciteFeatures, strongestFeatures } from "./excite.ts";

const classifier = linearWithFeatures(3, 64);
const images = unitRows(trainingImages(8, [1, 8, 8]), 8);

describe("strongestFeatures", () => {
  it("sums absolute weights over classes, and takes the first of equal ones", () => {
    expect(strongestFeatures(float32([2, 4], [1, -3, 2, 0, -1, 0, 2, 3]), 3)).toEqual([2, 1, 3]);
  });
});

describe("exciteFeatures", () => {
  const mask = float32([1, 8, 8]);
  mask.data.set([1, 1], 9);
  const settings = { activation: 100, behind: rowsOf(images, 0, 2), mask, seed: 4, iterations: 60, rate: 0.1 };

  it("moves what it can towards the activation, inside the mask and in range", async () => {
    const pattern = await exciteFeatures(classifier, { ...settings, features: [9, 40] });
    const before = await exciteFeatures(classifier, { ...settings, features: [9, 40], iterations: 0 });
    expect(pattern.data[9]).toBeGreaterThan(0.99);
    expect(before.data[9]).toBeLessThan(0.9);
    expect(pattern.data[10]).toBe(before.data[10]);
    expect(pattern.data.filter((value) => value !== 0).length).toBe(2);
  });

  it("stops when told", async () => {
    const signal = AbortSignal.abort();
    await expect(exciteFeatures(classifier, { ...settings, features: [1], signal })).rejects.toBe(signal.reason);
  });
});

describe("nearestPairs", () => {
  it("pairs the nearest two first, and uses each once", () => {
    const features = float32([3, 1], [0, 1, 5]);
    expect([...nearestPairs(features, float32([3, 1], [0.9, 4, 1.2]))]).toEqual([2, 0, 1]);
  });
});

describe("collide", () => {
  const settings = { epsilon: 0.1, rate: 0.02, update: "sign", iterations: 20, halving: 10, enough: 0 } as const;
  const near = rowsOf(images, 0, 3);
  const triggered = rowsOf(images, 3, 6);
  const flat = ({ data }: typeof images) => float32([3, 64], data);
  /** Squared distance of all pairs. */
  const far = (x: typeof images): number => {
    const pairs = nearestPairs(flat(x), flat(triggered));
    const at = (i: number): number => pairs[Math.floor(i / 64)]! * 64 + (i % 64);
    return x.data.reduce((sum, value, i) => sum + (value - triggered.data[at(i)]!) ** 2, 0);
  };

  it.each(["sign", "gradient"] as const)("comes nearer within epsilon, by the %s", async (update) => {
    const moved = await collide(classifier, near, { ...settings, update, triggered });
    const changes = moved.data.map((value, i) => Math.abs(value - near.data[i]!));
    expect(Math.max(...changes)).toBeCloseTo(0.1, 5);
    expect(moved.data.every((value) => value >= 0 && value <= 1)).toBe(true);
    expect(far(moved)).toBeLessThan(0.9 * far(near));
  });

  it("is done at once where images are near enough", async () => {
    expect(await collide(classifier, near, { ...settings, triggered: near, enough: 1e-9 })).toBe(near);
  });
});
