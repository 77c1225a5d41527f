import { describe, expect, it } from "vitest";
import { linearWithGradient, trainingImages, unitRows } from "../../../test/support/attack-context.ts";
import { RuntimeFailure } from "../../core/errors.ts";
import { winners } from "../../metrics/accuracy.ts";
import { rowsOf } from "../../tensor/rows.ts";
import { float32 } from "../../tensor/tensor.ts";
import { deepFool } from "./deep-fool.ts";
import { lowPass } from "./low-pass.ts";
import { smoothTrigger } from "./smooth-trigger.ts";

const classifier = linearWithGradient(4);
const images = unitRows(trainingImages(12, [1, 16, 20]), 12);

describe("deepFool", () => {
  it("goes just over the boundary, the shortest way", async () => {
    const x = rowsOf(images, 0, 1);
    const { scores } = await classifier.classify(x);
    const [own] = winners(scores);
    const target = (own! + 1) % 4;
    const change = await deepFool(classifier, x, { target, steps: 200, overshoot: 0.02 });
    const moved = float32(
      x.dims,
      x.data.map((value, i) => value + change[i]!),
    );
    expect([...winners((await classifier.classify(moved)).scores)]).toEqual([target]);
    expect(await deepFool(classifier, moved, { target, steps: 200, overshoot: 0.02 })).toEqual(
      new Float64Array(change.length),
    );
    // Of a linear classifier the boundary of two classes is a plane: half a step does not cross it.
    const half = float32(
      x.dims,
      x.data.map((value, i) => value + change[i]! / 2),
    );
    expect(winners((await classifier.classify(half)).scores)[0]).not.toBe(target);
  });
});

describe("lowPass", () => {
  it("spreads a point into a Gaussian of deviation 6 that keeps its sum", () => {
    const point = new Float64Array(64 * 64);
    point[32 * 64 + 31] = 1;
    const out = lowPass(point, [1, 64, 64]);
    expect(out.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 9);
    const row = out.slice(32 * 64, 33 * 64);
    expect(row[20]! / row[26]!).toBeCloseTo(Math.exp(-((10.5 ** 2 - 4.5 ** 2) / 72)), 9);
  });

  it("treats channels apart and lets values flow out at the edges", () => {
    const values = new Float64Array(2 * 8 * 8).fill(1, 64);
    const out = lowPass(values, [2, 8, 8]);
    expect(out.subarray(0, 64).every((value) => value === 0)).toBe(true);
    expect(out[64 + 3 * 8 + 3]).toBeGreaterThan(out[64]!);
    expect(out[64]).toBeLessThan(1);
  });
});

describe("smoothTrigger", () => {
  const settings = { target: 2, height: 0.2, fooling: 0.2, passes: 2, steps: 5, overshoot: 0.02 };

  it("reaches from 0 to its height, is smooth, and moves the classifier", async () => {
    const pattern = await smoothTrigger(classifier, { ...settings, images, heldOut: images });
    expect(Math.min(...pattern)).toBe(0);
    expect(Math.max(...pattern)).toBeCloseTo(0.2, 6);
    const steps = pattern.map((value, i) => (i % 20 === 0 ? 0 : Math.abs(value - pattern[i - 1]!)));
    expect(Math.max(...steps)).toBeLessThan(0.03);
  });

  it("says so when nothing can be moved, and stops when told", async () => {
    const stubborn = Object.assign(linearWithGradient(4), {
      classify: async () => ({ scores: float32([1, 4], [0, 0, 1, 0]), kind: "logits" as const }),
    });
    const alone = { ...settings, images: rowsOf(images, 0, 1), heldOut: rowsOf(images, 1, 2) };
    await expect(smoothTrigger(stubborn, alone)).rejects.toThrow(RuntimeFailure);
    const signal = AbortSignal.abort();
    await expect(smoothTrigger(classifier, { ...alone, signal })).rejects.toBe(signal.reason);
  });
});
