import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { intoBallInto, startDescent } from "./descent.ts";

const floats = (min: number, max: number) =>
  fc.array(fc.float({ min: Math.fround(min), max: Math.fround(max), noNaN: true }), { minLength: 12, maxLength: 12 });

describe("startDescent", () => {
  it("stays within the ball, and the image within its range, whatever the gradients", () => {
    void fc.assert(
      fc.property(
        floats(0, 1),
        fc.array(floats(-1e3, 1e3), { minLength: 1, maxLength: 6 }),
        fc.double({ min: 0.01, max: 20, noNaN: true }),
        (pixels, gradients, eps) => {
          const image = Float32Array.from(pixels);
          const descent = startDescent(12, { eps, rate: eps, momentum: 0.9, steps: gradients.length });
          for (const [step, gradient] of gradients.entries()) {
            descent.step(Float32Array.from(gradient), { step, image });
            expect(Math.hypot(...descent.change)).toBeLessThanOrEqual(eps * (1 + 1e-6));
            for (const [i, value] of descent.change.entries()) {
              expect(image[i]! + value).toBeGreaterThanOrEqual(-1e-6);
              expect(image[i]! + value).toBeLessThanOrEqual(1 + 1e-6);
            }
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it("goes a rate's length against the gradient at first, and half of it after three quarters", () => {
    const descent = startDescent(4, { eps: 10, rate: 0.5, momentum: 0, steps: 4 });
    const gradient = Float32Array.of(0, 30, 0, 40);
    const lengths = [0, 1, 2, 3].map((step) => {
      descent.step(gradient, { step });
      return Math.hypot(...descent.change);
    });
    expect(lengths).toBeAllclose([0.5, 1, 1.5, 1.75], { atol: 1e-6 });
    expect([...descent.change.map((value) => value / lengths[3]!)]).toBeAllclose([0, -0.6, 0, -0.8], { atol: 1e-6 });
  });

  it("does not move where there is no gradient", () => {
    const descent = startDescent(3, { eps: 1, rate: 0.5, momentum: 0.9, steps: 4 });
    descent.step(new Float32Array(3), { step: 0 });
    expect([...descent.change]).toEqual([0, 0, 0]);
  });
});

describe("intoBallInto", () => {
  it("scales what lies outside, and leaves the rest", () => {
    const [outside, inside] = [Float32Array.of(3, 4), Float32Array.of(0.3, 0.4)];
    intoBallInto(outside, 1);
    intoBallInto(inside, 1);
    expect(outside).toBeAllclose([0.6, 0.8], { atol: 1e-6 });
    expect(inside).toEqual(Float32Array.of(0.3, 0.4));
  });
});
