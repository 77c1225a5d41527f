import { describe, expect, it } from "vitest";
import { createNoise } from "../core/noise.ts";
import { float32 } from "../tensor/tensor.ts";
import { drawRows } from "./draw.ts";
import { inGroups } from "./groups.ts";
import { normsOf, stamp } from "./trigger.ts";

const images = float32([2, 2, 1, 2], [0, 0.2, 0.4, 0.6, 0.8, 1, 0.5, 0.5]);

describe("stamp", () => {
  it("adds a perturbation and stays in range", () => {
    const perturbation = float32([1, 2, 1, 2], [-0.1, 0.1, 0.5, 0.5]);
    const out = stamp(images, { kind: "perturbation", perturbation });
    expect(out.data).toBeAllclose([0, 0.3, 0.9, 1, 0.7, 1, 1, 1], { atol: 1e-6 });
  });

  it("paints a pattern through a mask that all channels share", () => {
    const trigger = {
      kind: "patch",
      mask: float32([1, 1, 1, 2], [1, 0.5]),
      pattern: float32([1, 2, 1, 2], [1, 1, 0, 0]),
    } as const;
    expect(stamp(images, trigger).data).toBeAllclose([1, 0.6, 0, 0.3, 1, 1, 0, 0.25], { atol: 1e-6 });
  });
});

describe("normsOf", () => {
  it("measures a perturbation over all values, and counts pixels once", () => {
    const perturbation = float32([1, 2, 1, 2], [-0.3, 0, 0.4, 1 / 256]);
    expect(normsOf({ kind: "perturbation", perturbation })).toEqual({
      pixels: 1,
      l1: expect.closeTo(0.7 + 1 / 256, 6),
      l2: expect.closeTo(Math.hypot(0.5, 1 / 256), 6),
      linf: expect.closeTo(0.4, 6),
    });
    const step = { kind: "perturbation", perturbation: float32([1, 1, 1, 1], [1 / 255]) } as const;
    expect(normsOf(step).pixels).toBe(1);
  });

  it("measures a patch by its mask", () => {
    const trigger = { kind: "patch", mask: float32([1, 1, 1, 2], [1, 0.5]), pattern: float32([1, 2, 1, 2]) } as const;
    expect(normsOf(trigger)).toMatchObject({ pixels: 2, l1: 1.5, linf: 1 });
  });
});

describe("drawRows", () => {
  it("draws each row at most once, by the seed and the step", () => {
    const rows = [4, 7, 8, 11, 12];
    const ids = Array.from({ length: 13 }, (_, i) => [i, 1] as const);
    const noise = createNoise(5, ids);
    const drawn = drawRows(rows, 3, { noise, step: 0 });
    expect(new Set(drawn).size).toBe(3);
    expect(drawn.every((row) => rows.includes(row))).toBe(true);
    expect(drawRows(rows, 3, { noise, step: 0 })).toEqual(drawn);
    expect(drawRows(rows, 9, { noise, step: 1 }).sort((a, b) => a - b)).toEqual(rows);
    const others = [1, 2, 3].map((step) => drawRows(rows, 3, { noise, step }).join());
    expect(new Set([drawn.join(), ...others]).size).toBeGreaterThan(1);
  });
});

describe("inGroups", () => {
  it("bounds the batch of a step, and takes one search at least", () => {
    expect(inGroups([1, 2, 3], 2 ** 21)).toEqual([[1, 2], [3]]);
    expect(inGroups([1, 2], 2 ** 30)).toEqual([[1], [2]]);
    expect(inGroups([], 10)).toEqual([]);
  });
});
