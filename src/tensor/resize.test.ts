import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { averagePool, repeatBlocks } from "./pooling.ts";
import { resize } from "./resize.ts";
import { float32 } from "./tensor.ts";

describe("resize", () => {
  it("interpolates between half-pixel centres and continues the edge", () => {
    const grid = float32([1, 1, 2, 2], [0, 1, 1, 0]);
    expect([...resize(grid, 4, 4).data]).toEqual(
      [
        [0, 0.25, 0.75, 1],
        [0.25, 0.375, 0.625, 0.75],
        [0.75, 0.625, 0.375, 0.25],
        [1, 0.75, 0.25, 0],
      ].flat(),
    );
  });

  it("keeps constants and dims for any sizes and methods", () => {
    const size = fc.integer({ min: 1, max: 9 });
    const method = fc.constantFrom("nearest", "bilinear", "bicubic", "area");
    fc.assert(
      fc.property(size, size, size, size, method, fc.boolean(), (h, w, height, width, method, antialias) => {
        const images = float32([2, 1, h, w], new Float32Array(2 * h * w).fill(0.7));
        const resized = resize(images, height, width, { method, antialias });
        expect(resized.dims).toEqual([2, 1, height, width]);
        expect(resized.data).toBeAllclose(new Float32Array(2 * height * width).fill(0.7), { atol: 1e-6 });
      }),
    );
  });

  it("refuses empty sizes", () => {
    expect(() => resize(float32([1, 1, 2, 2]), 0, 3)).toThrow("resize: expected sizes of at least 1, got 0.");
  });
});

describe("average pool", () => {
  it("is undone by its pseudo-inverse: A A+ A = A, also where the scale does not divide the size", () => {
    const side = fc.integer({ min: 1, max: 9 });
    fc.assert(
      fc.property(side, side, fc.integer({ min: 1, max: 5 }), fc.nat(), (h, w, scale, seed) => {
        const x = float32(
          [2, 2, h, w],
          Float32Array.from({ length: 4 * h * w }, (_, i) => ((i + seed) * 7919) % 101),
        );
        const once = averagePool(x, scale);
        const twice = averagePool(repeatBlocks(once, scale, h, w), scale);
        expect(twice.dims).toEqual(once.dims);
        expect(twice.data).toBeAllclose(once.data, { rtol: 1e-6 });
      }),
    );
  });

  it("averages the pixels that a smaller block has", () => {
    const pooled = averagePool(float32([1, 1, 3, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9]), 2);
    expect([...pooled.data]).toEqual([3, 4.5, 7.5, 9]);
  });

  it("refuses sizes that do not fit", () => {
    expect(() => averagePool(float32([1, 1, 2, 2]), 0)).toThrow(/scale of at least 1/);
    expect(() => repeatBlocks(float32([1, 1, 2, 2]), 2, 6, 4)).toThrow(/2x2 blocks of 2 pixels, got 6x4/);
  });
});
