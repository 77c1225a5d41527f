import { describe, expect, it } from "vitest";
import { float32 } from "../tensor/tensor.ts";
import { noised } from "./forward.ts";
import { linearBetas, makeSchedule } from "./schedules.ts";

const schedule = makeSchedule(linearBetas(1000));
const x0 = float32([1, 1, 1, 2], [1, -0.5]);
const noise = float32([1, 1, 1, 2], [0, 2]);

describe("noised", () => {
  it("carries one step of noise at index 0, and almost nothing of the image at T-1", () => {
    expect(noised(x0, schedule, 0, noise).data).toBeAllclose(
      [Math.sqrt(0.9999), -0.5 * Math.sqrt(0.9999) + 2 * Math.sqrt(1e-4)],
      { rtol: 1e-6 },
    );
    expect(noised(x0, schedule, 999, noise).data).toBeAllclose([0.0063528, 1.99678], { atol: 1e-5 });
  });

  it("is the image itself at index -1", () => {
    expect(noised(x0, schedule, -1, noise).data).toEqual(x0.data);
  });

  it("refuses other dims and indices", () => {
    expect(() => noised(x0, schedule, 0, float32([1, 1, 2, 1]))).toThrow("expected dims [1, 1, 1, 2]");
    expect(() => noised(x0, schedule, 1000, noise)).toThrow("index: expected");
  });
});
