import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { float32 } from "../../../tensor/tensor.ts";
import { bump } from "./bump.ts";
import { drawReflection, REFLECTION_DRAWS, workingSize } from "./draw-reflection.ts";
import { type Reflection, reflectOnto } from "./reflect.ts";

const dims = [1, 2, 12, 10];
const scene = float32(
  dims,
  Float32Array.from({ length: 240 }, (_, i) => ((i * 31) % 97) / 96),
);
const white = float32(dims, new Float32Array(240).fill(1));
const black = float32(dims);
const ghost: Reflection = { branch: "ghost", down: 2, right: 3, share: 0.4 };
const blurred: Reflection = { branch: "blur", sigma: 1.5, attenuation: 1.1, top: 0, left: 0, side: 12 };

describe("reflections", () => {
  it("of nothing dim the scene, and through clear glass change nothing", () => {
    for (const how of [ghost, blurred]) {
      const dimmed = scene.data.map((value) => value * 0.5 ** (1 / 2.2));
      expect(reflectOnto(scene, black, { ...how, alpha: 0.5 }).data).toBeAllclose(dimmed, { atol: 1e-6 });
      expect(reflectOnto(scene, black, { ...how, alpha: 1 }).data).toBeAllclose(scene.data, { atol: 1e-6 });
    }
    expect(reflectOnto(scene, white, { ...ghost, alpha: 1 }).data).toBeAllclose(scene.data, { atol: 1e-6 });
  });

  it("in two faces of the glass are two copies, the second one moved", () => {
    const point = float32([1, 1, 12, 10]);
    point.data[4 * 10 + 4] = 1;
    const dark = float32([1, 1, 12, 10]);
    const { data } = reflectOnto(dark, point, { ...ghost, alpha: 0 });
    // Rows from 2 and columns from 3 are enlarged to the whole: (4, 4) lies at (2, 1) of 10x7, its copy at (4, 4).
    const at = (row: number, column: number): number => data[row * 10 + column]!;
    expect(Math.max(at(2, 1), at(3, 1), at(2, 2), at(3, 2))).toBeGreaterThan(0.4);
    expect(Math.max(at(5, 6), at(4, 6), at(5, 5), at(4, 5))).toBeGreaterThan(0.4);
    expect(at(10, 8)).toBe(0);
  });

  it("stay within what was asked for, whatever is drawn", () => {
    const ranges = { alpha: [0.4, 0.9], ghostRate: 0.5, offset: [3, 8], sigma: [1, 5], side: 64 } as const;
    const draws = fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), {
      minLength: REFLECTION_DRAWS,
      maxLength: REFLECTION_DRAWS,
    });
    fc.assert(
      fc.property(draws, (drawn) => {
        const how = drawReflection(drawn, ranges, [48, 64]);
        expect(how.alpha).toBeGreaterThanOrEqual(0.4);
        expect(how.alpha).toBeLessThanOrEqual(0.9);
        if (how.branch === "ghost") {
          for (const pixels of [how.down, how.right]) expect([3, 4, 5, 6, 7, 8]).toContain(pixels);
          expect(how.share).toBeGreaterThanOrEqual(0.15);
          expect(how.share).toBeLessThanOrEqual(0.85);
          return;
        }
        expect(how.sigma).toBeGreaterThanOrEqual(1);
        expect(how.top + 48).toBeLessThanOrEqual(64);
        expect(how.left + 64).toBeLessThanOrEqual(64);
      }),
    );
    expect(workingSize([48, 64], 128)).toEqual([96, 128]);
    expect(workingSize([1, 400], 8)).toEqual([1, 8]);
  });

  it("fade from a peak of one in the middle", () => {
    for (const side of [9, 32]) {
      const weights = bump(side);
      expect(Math.max(...weights)).toBeCloseTo(1, 12);
      expect(weights[0]).toBeLessThan(0.1);
      expect([...weights].reverse()).toBeAllclose(weights, { atol: 1e-9 });
    }
  });
});
