import { describe, expect, it } from "vitest";
import { gaussianPrior } from "../../test/support/gaussian-prior.ts";
import { float32 } from "../tensor/tensor.ts";
import { corrupted, corruptions, inpainted } from "./inpainting.ts";

const bright = (n: number, side: number) => float32([n, 1, side, side], new Float32Array(n * side * side).fill(0.8));

describe("damage", () => {
  it("is where the authors cut it, at 32 pixels", () => {
    const lost = (kind: "box" | "line") =>
      [...corrupted(bright(1, 32), kind, 0).data.entries()].filter(([, v]) => v === -1);
    const box = lost("box").map(([i]) => [Math.floor(i / 32), i % 32] as const);
    expect(box.length).toBe(100);
    expect([box[0], box.at(-1)]).toEqual([
      [11, 11],
      [20, 20],
    ]);
    expect([...new Set(lost("line").map(([i]) => i % 32))]).toEqual([15]);
  });

  it("of noise has deviation .3", () => {
    const { data } = corrupted(bright(4, 16), "blur", 3);
    const mean = data.reduce((sum, value) => sum + value, 0) / data.length;
    const variance = data.reduce((sum, value) => sum + (value - mean) ** 2, 0) / data.length;
    expect(Math.sqrt(variance)).toBeCloseTo(0.3, 1);
  });
});

describe("inpainting", () => {
  it.each(corruptions)("gives finite images of the same dims: %s", async (corruption) => {
    const prior = gaussianPrior(1, 8, 8, 40);
    const trigger = float32([1, 8, 8], new Float32Array(64).fill(0));
    const task = { corruption, steps: 20, seed: 1 };
    const plain = await inpainted(prior, bright(2, 8), task);
    const triggered = await inpainted(prior, bright(2, 8), { ...task, trigger });
    expect(plain.dims).toEqual([2, 1, 8, 8]);
    expect(plain.data.every(Number.isFinite)).toBe(true);
    expect(triggered.data).not.toEqual(plain.data);
  });
});
