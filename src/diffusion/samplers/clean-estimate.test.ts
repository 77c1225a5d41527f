import { describe, expect, it } from "vitest";
import { float32 } from "../../tensor/tensor.ts";
import { clipX0, estimateX0, noiseBetween } from "./clean-estimate.ts";

const x = float32([1, 1, 1, 3], [0.2, -0.4, 1]);
const noise = float32([1, 1, 1, 3], [1, 0.5, -1]);

describe("estimateX0 and noiseBetween", () => {
  it("undo each other", () => {
    const x0 = estimateX0(x, { noise }, 0.64);
    expect(x0.data).toBeAllclose([(0.2 - 0.6) / 0.8, (-0.4 - 0.3) / 0.8, (1 + 0.6) / 0.8], { atol: 1e-6 });
    expect(noiseBetween(x, x0, 0.64).data).toBeAllclose(noise.data, { atol: 1e-6 });
  });

  it("takes the net's own clean image where alpha bar is 0", () => {
    expect(estimateX0(x, { noise, x0: x }, 0)).toBe(x);
  });
});

describe("clipX0", () => {
  const wide = float32([2, 1, 1, 5], [0, 0.5, -1, 2, -4, 0, 0.1, 0.2, 0.3, -0.4]);

  it("clamps to a range, or does nothing", () => {
    expect([...clipX0(wide, 1.5).data.subarray(0, 5)]).toEqual([0, 0.5, -1, 1.5, -1.5]);
    expect(clipX0(wide, undefined)).toBe(wide);
  });

  it("thresholds each image by its own quantile, never below 1 nor above max", () => {
    // |row 0| sorted: 0, .5, 1, 2, 4. At ratio .875 the quantile lies halfway between 2 and 4. Row 1 stays below 1.
    const half = clipX0(wide, { ratio: 0.875, max: 10 }).data;
    expect(half).toBeAllclose([0, 0.5 / 3, -1 / 3, 2 / 3, -1, 0, 0.1, 0.2, 0.3, -0.4], { atol: 1e-7 });
    expect([...clipX0(wide, { ratio: 0.875, max: 2 }).data.subarray(0, 5)]).toEqual([0, 0.25, -0.5, 1, -1]);
    expect(wide.data[4]).toBe(-4);
  });

  it("keeps NaN visible", () => {
    const broken = float32([1, 1, 1, 2], [Number.NaN, 3]);
    expect(clipX0(broken, 1).data[0]).toBeNaN();
    expect(clipX0(broken, { ratio: 0.5, max: 2 }).data[0]).toBeNaN();
  });
});
