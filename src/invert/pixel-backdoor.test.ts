import { describe, expect, it } from "vitest";
import { addPixelCountInto } from "./kernels.ts";

describe("addPixelCountInto", () => {
  it("counts half a pixel where nothing changes, and has the derivative that central differences show", () => {
    const at = { plane: 6, weight: 1 };
    expect(addPixelCountInto(new Float32Array(36), new Float32Array(36), at)).toBeCloseTo(6, 6);
    const variables = Float32Array.from({ length: 36 }, (_, i) => 8 * Math.sin(1.7 * i));
    const gradient = new Float32Array(36);
    addPixelCountInto(gradient, variables, at);
    for (const [i, slope] of gradient.entries()) {
      const moved = (step: number) =>
        addPixelCountInto(
          new Float32Array(36),
          variables.map((value, k) => (k === i ? value + step : value)),
          at,
        );
      expect(slope).toBeCloseTo((moved(0.01) - moved(-0.01)) / 0.02, 4);
    }
    // Of the three channels of a pixel the highest alone counts, for what is added and for what is taken away.
    expect(gradient.filter((slope) => slope !== 0)).toHaveLength(12);
  });
});
