import { expect, test } from "vitest";
import type { ReconstructedTrigger } from "../../invert/inverter.ts";
import { float32 } from "../../tensor/tensor.ts";
import { heatOf, overlap, picturesOf } from "./evidence.ts";

const perturbation: ReconstructedTrigger = {
  kind: "perturbation",
  perturbation: float32([1, 2, 2, 2], [0, -0.5, 0.1, 0, 0.25, 0, 0, 0]),
};
const patch: ReconstructedTrigger = {
  kind: "patch",
  mask: float32([1, 1, 2, 2], [0.8, 0, 0.4, 0]),
  pattern: float32([1, 1, 2, 2], [1, 1, 1, 1]),
};

test("heat is the largest change over the channels, of the largest of all", () => {
  expect([...heatOf(perturbation)].map((value) => value.toFixed(2))).toEqual(["0.50", "1.00", "0.20", "0.00"]);
  expect([...heatOf(patch)]).toEqual([1, 0, 0.5, 0]);
});

test("pictures stay in [0, 1], around grey", () => {
  for (const trigger of [perturbation, patch]) {
    const { trigger: look, mask } = picturesOf(trigger);
    expect(mask.dims).toEqual([1, 1, 2, 2]);
    for (const value of [...look.data, ...mask.data]) expect(value >= 0 && value <= 1).toBe(true);
  }
  expect(picturesOf(perturbation).trigger.data[1]).toBe(0);
});

test("overlap compares equal areas, and says nothing of triggers that are everywhere or nowhere", () => {
  expect(overlap(patch, { mask: Uint8Array.of(1, 0, 1, 0), pixels: 2 })).toBe(1);
  expect(overlap(patch, { mask: Uint8Array.of(1, 1, 0, 0), pixels: 2 })).toBe(1 / 3);
  expect(overlap(patch, { mask: Uint8Array.of(1, 1, 1, 0), pixels: 3 })).toBeNull();
  expect(overlap(patch, { mask: new Uint8Array(4), pixels: 0 })).toBeNull();
});
