import { describe, expect, it } from "vitest";
import { OptionError } from "../core/errors.ts";
import { posteriorOf } from "./posterior.ts";
import {
  alphaBarAt,
  cosineBetas,
  indexForSigma01,
  linearBetas,
  linspace,
  makeSchedule,
  openAiLinearBetas,
  rescaleTimesteps,
  sigma01,
  zeroSnrBetas,
} from "./schedules.ts";

const linear = makeSchedule(linearBetas(1000));
const cosine4000 = makeSchedule(cosineBetas(4000));

describe("named schedules", () => {
  it.each([
    [0, 1e-4, 0.9999, 0],
    [1, 1.1992e-4, 0.99978009, 5.45318766e-5],
    [20, 4.98398e-4, 0.99373543, 4.58975442e-4],
    [120, 2.49039e-3, 0.85483265, 2.45377784e-3],
    [500, 1.005996e-2, 0.07779666, 1.00513358e-2],
    [999, 2e-2, 4.03583e-5, 1.99999835e-2],
  ])("linear 1000 at %i", (i, beta, alphaBar, variance) => {
    expect(linear.betas[i]).toBeCloseTo(beta, 8);
    expect(linear.alphasBar[i]! / alphaBar).toBeCloseTo(1, 6);
    expect(posteriorOf(linear, { from: i, to: i - 1 }).variance).toBeCloseTo(variance, 10);
  });

  it.each([
    [0, 9.86581881e-6, 0.999990134],
    [1200, 4.05718149e-4, 0.786591247],
    [3999, 0.999, 1.51798e-10],
  ])("cosine 4000 at %i", (i, beta, alphaBar) => {
    expect(cosine4000.betas[i]! / beta).toBeCloseTo(1, 6);
    expect(cosine4000.alphasBar[i]! / alphaBar).toBeCloseTo(1, 5);
  });

  it("has linspace include both ends exactly", () => {
    expect([...linspace(0, 1, 5)]).toEqual([0, 0.25, 0.5, 0.75, 1]);
    expect([...linspace(3, 7, 1)]).toEqual([3]);
    expect(linspace(0.1, 0.7, 1001).at(-1)).toBe(0.7);
  });

  it("ends at alpha bar 0 after zero-SNR rescaling, and starts where it did", () => {
    const { alphasBar, betas } = makeSchedule(zeroSnrBetas(linear.betas));
    expect(alphasBar[0]).toBeCloseTo(linear.alphasBar[0]!, 12);
    expect([betas.at(-1), alphasBar.at(-1)]).toEqual([1, 0]);
  });
});

describe("makeSchedule", () => {
  it("shows the net the index, or what it is told", () => {
    expect([...makeSchedule([0.1, 0.2]).timesteps]).toEqual([0, 1]);
    expect([...makeSchedule([0.1, 0.2], [5, 9]).timesteps]).toEqual([5, 9]);
    expect(rescaleTimesteps(cosine4000).timesteps.at(-1)).toBe(999.75);
  });

  it.each([
    [[], undefined, "betas: expected at least one, got none."],
    [[0.1, 1.5], undefined, "betas[1]: expected a number above 0 and at most 1, got 1.5."],
    [[0.1, Number.NaN], undefined, "betas[1]: expected a number above 0 and at most 1, got NaN."],
    [[0.1, 0.2], [1], "timesteps: expected 2, one for each beta, got 1."],
  ])("refuses %j with timesteps %j", (betas, timesteps, message) => {
    expect(() => makeSchedule(betas, timesteps)).toThrow(new OptionError(message));
  });
});

describe("sigma01", () => {
  it.each([
    [20, 0.04],
    [100, 0.171],
    [200, 0.362],
    [300, 0.62],
    [450, 1.318],
  ])("linear 1000 at %i is %f", (index, sigma) => {
    expect(sigma01(linear, index)).toBeCloseTo(sigma, 3);
  });

  it("finds the index for a deviation, as diffusion-denoised smoothing does", () => {
    const found = (betas: Float64Array) => [0.12, 0.25, 0.5, 1].map((s) => indexForSigma01(makeSchedule(betas), s));
    expect(found(linearBetas(1000))).toEqual([70, 145, 259, 396]);
    expect(found(cosineBetas(4000))).toEqual([573, 1158, 1984, 2809]);
    expect(found(cosineBetas(1000))).toEqual([143, 289, 496, 702]);
    expect(found(openAiLinearBetas(4000))).toEqual([281, 579, 1035, 1588]);
    expect(indexForSigma01(linear, 0)).toBe(1);
    expect(() => indexForSigma01(linear, 1000)).toThrow("sigma: expected at most 78.70");
  });

  it("refuses an index outside the schedule", () => {
    expect(alphaBarAt(linear, -1)).toBe(1);
    for (const index of [-2, 1000, 0.5]) {
      expect(() => alphaBarAt(linear, index)).toThrow(
        new OptionError(`index: expected an integer from -1 to 999 of this schedule, got ${index}.`),
      );
    }
  });
});
