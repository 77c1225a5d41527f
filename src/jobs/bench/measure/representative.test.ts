import { expect, test } from "vitest";
import type { Inversion } from "../../../invert/inverter.ts";
import { float32 } from "../../../tensor/tensor.ts";
import { representative } from "./representative.ts";

/** An inversion from one image that moves so many of ten others. */
function inversionOf(source: number, hits: number): Inversion {
  return {
    target: 0,
    sources: [source],
    trigger: { kind: "perturbation", perturbation: float32([1, 1, 1, 1]) },
    norms: { pixels: 0, l1: 0, l2: 0, linf: 0 },
    success: { sources: { hits: 1, total: 1 }, others: { hits, total: 10 }, reference: undefined },
    losses: [],
    complete: true,
  };
}

test("of option sets on one image the most successful counts, of several images the median", () => {
  const weak = [inversionOf(0, 1), inversionOf(1, 2), inversionOf(2, 3)];
  const strong = [inversionOf(0, 9), inversionOf(1, 5), inversionOf(2, 7)];
  expect(representative([...weak, ...strong])).toEqual({ inversion: strong[2], sources: 3 });
  expect(representative(strong.slice(0, 2))?.inversion).toBe(strong[1]);
  expect(representative([])).toBeUndefined();
});
