import { describe, expect, it } from "vitest";
import { float32 } from "../tensor/tensor.ts";
import type { Inversion } from "./inverter.ts";
import { outliersOf } from "./outliers.ts";

function inversion(target: number, l1: number, hits: number, total = 100): Inversion {
  const perturbation = float32([1, 1, 1, 1]);
  return {
    target,
    sources: [0],
    trigger: { kind: "perturbation", perturbation },
    norms: { pixels: 1, l1, l2: 1, linf: 1 },
    success: { sources: { hits: 1, total: 1 }, others: { hits, total }, reference: undefined },
    losses: [],
    complete: true,
  };
}
const norms = [60, 55, 62, 58, 61, 10, 57, 63, 59, 64];
const classes = norms.map((norm, i) => inversion(i + 20, norm, i === 7 ? 99 : 20 + i));

describe("outliersOf", () => {
  it("names the class of a small norm by its id", () => {
    const { index, flagged } = outliersOf(classes, "l1")!;
    expect(index).toBeCloseTo(13.355, 3);
    expect(flagged).toEqual([25]);
  });

  it("names the class of a high success", () => {
    expect(outliersOf(classes, "success")!.flagged).toEqual([27]);
  });

  it("says nothing of few classes, of equal ones, and without images to count on", () => {
    expect(outliersOf(classes.slice(0, 4), "l1")).toBeUndefined();
    expect(outliersOf(classes, "l2")).toBeUndefined();
    const uncounted = classes.map((one) => ({
      ...one,
      success: { ...one.success, sources: { hits: 0, total: 0 }, others: { hits: 0, total: 0 } },
    }));
    expect(outliersOf(uncounted, "success")).toBeUndefined();
  });
});
