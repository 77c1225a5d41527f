import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { float32 } from "../tensor.ts";
import { affineGrid } from "./affine-grid.ts";
import { blur, gaussianKernel, medianBlur } from "./blur.ts";
import { cosineTransform } from "./cosine-transform.ts";
import { gridSample, sampleAlong, samplingPlan } from "./grid-sample.ts";

const ramp = (h: number, w: number) =>
  float32(
    [1, 1, h, w],
    Float32Array.from({ length: h * w }, (_, i) => i),
  );

describe("blur", () => {
  it("keeps constants, whatever the border but zeros", () => {
    const constant = float32([2, 1, 6, 5], new Float32Array(60).fill(0.3));
    for (const border of ["mirror", "symmetric", "edge"] as const) {
      expect(blur(constant, gaussianKernel(5, 1.2), { border }).data).toBeAllclose(constant.data, { atol: 1e-7 });
    }
    expect(blur(constant, gaussianKernel(5, 1.2), { border: "zero" }).data[0]).toBeLessThan(0.2);
  });

  it("of an even number of weights begins where it is told", () => {
    const point = float32([1, 1, 1, 5], [0, 0, 1, 0, 0]);
    const [left, right] = [0, 1].map((before) => blur(point, [0.25, 0.75], { border: "zero", before }));
    expect([...left!.data]).toEqual([0, 0.1875, 0.0625, 0, 0]);
    expect([...right!.data]).toEqual([0, 0, 0.5625, 0.1875, 0]);
  });

  it("refuses to mirror what is too short, and even medians", () => {
    expect(() => blur(ramp(3, 3), gaussianKernel(7, 1))).toThrow(
      "filter: expected an axis of at least 4 pixels, to be mirrored, got 3.",
    );
    expect(() => medianBlur(ramp(3, 3), 2)).toThrow("median blur: expected an odd side, got 2.");
  });
});

describe("cosine transform", () => {
  it("keeps lengths and is undone by its inverse", () => {
    const side = fc.integer({ min: 1, max: 9 });
    fc.assert(
      fc.property(side, side, (h, w) => {
        const x = ramp(h, w);
        const coefficients = cosineTransform(x);
        const energy = (values: Iterable<number>) => [...values].reduce((sum, value) => sum + value * value, 0);
        expect([energy(coefficients.data)]).toBeAllclose([energy(x.data)], { rtol: 1e-12 });
        expect(cosineTransform(coefficients, { inverse: true }).data).toBeAllclose(x.data, { atol: 1e-9 });
      }),
    );
    expect(() => cosineTransform(float32([4]))).toThrow(/expected at least two axes, got \[4\]/);
  });
});

describe("grid sample", () => {
  const identity = float32([1, 2, 3], [1, 0, 0, 0, 1, 0]);

  it("along the pixels' own positions is the identity", () => {
    const x = ramp(4, 5);
    for (const alignCorners of [false, true]) {
      for (const method of ["nearest", "bilinear", "bicubic"] as const) {
        const grid = affineGrid(identity, [4, 5], { alignCorners });
        expect(gridSample(x, grid, { method, alignCorners }).data, method).toBeAllclose(x.data, { atol: 3e-5 });
      }
    }
  });

  it("does not read what has no weight", () => {
    const x = float32([1, 1, 1, 2], [1, Number.POSITIVE_INFINITY]);
    expect([...gridSample(x, float32([1, 1, 1, 2], [-0.5, 0])).data]).toEqual([1]);
    expect([...gridSample(x, float32([1, 1, 1, 2], [9, 0])).data]).toEqual([0]);
  });

  it("refuses grids that do not fit", () => {
    expect(() => gridSample(ramp(2, 2), float32([2, 2, 2, 2]))).toThrow(/expected a grid \[1, H, W, 2\]/);
    expect(() => affineGrid(float32([2, 3]), [2, 2])).toThrow(/expected maps \[N, 2, 3\], got \[2, 3\]/);
    expect(() => sampleAlong(ramp(2, 2), () => samplingPlan([0, 0], [2, 2]), [2, 2])).toThrow(
      "grid sample: expected 4 points, got 1.",
    );
  });
});
