import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { respace, spaceTimesteps } from "./respacing.ts";
import { roundHalfEven } from "./round-half-even.ts";
import { cosineBetas, linearBetas, makeSchedule, rescaleTimesteps } from "./schedules.ts";

describe("spaceTimesteps", () => {
  it("keeps both ends of every section", () => {
    expect(spaceTimesteps(1000, "20")).toEqual([
      0, 53, 105, 158, 210, 263, 315, 368, 421, 473, 526, 578, 631, 684, 736, 789, 841, 894, 946, 999,
    ]);
    const thousand = spaceTimesteps(4000, "1000");
    expect([thousand.length, thousand[100], thousand[300], thousand[450]]).toEqual([1000, 400, 1201, 1801]);
    expect(spaceTimesteps(10, "1, 2,1")).toEqual([0, 4, 6, 7]);
  });

  it("strides from 0 for ddimN", () => {
    expect(spaceTimesteps(1000, "ddim10")).toEqual([0, 100, 200, 300, 400, 500, 600, 700, 800, 900]);
    expect(() => spaceTimesteps(1000, "ddim37")).toThrow('respacing "ddim37": expected a count that an integer stride');
  });

  it.each(["", "0", "10,,20", "ddim", "-5", "1e3", "ten"])('refuses "%s"', (spec) => {
    expect(() => spaceTimesteps(1000, spec)).toThrow('respacing: expected "250", "10,15,20" or "ddim50"');
  });

  it("refuses more steps than a section has", () => {
    expect(() => spaceTimesteps(10, "3,4,4")).toThrow(
      'respacing "3,4,4": expected at most 3 steps in section 2, got 4.',
    );
  });

  it("gives as many ascending indices as were asked for", () => {
    const counts = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(counts, fc.integer({ min: 150, max: 4000 }), (sections, steps) => {
        const use = spaceTimesteps(steps, sections.join(","));
        expect(use).toHaveLength(sections.reduce((a, b) => a + b));
        expect(use.every((index, k) => k === 0 || index > use[k - 1]!)).toBe(true);
        expect(use.at(-1)!).toBeLessThan(steps);
      }),
      { numRuns: 100 },
    );
  });
});

describe("respace", () => {
  const schedule = makeSchedule(linearBetas(1000));

  it("keeps alpha bar and what the net is shown", () => {
    const { alphasBar, betas, timesteps } = respace(schedule, [10, 500, 999]);
    expect([...alphasBar]).toEqual([10, 500, 999].map((index) => schedule.alphasBar[index]));
    expect([...timesteps]).toEqual([10, 500, 999]);
    expect(1 - betas[2]!).toBeCloseTo(schedule.alphasBar[999]! / schedule.alphasBar[500]!, 12);
  });

  it("keeps rescaled timesteps", () => {
    const rescaled = rescaleTimesteps(makeSchedule(cosineBetas(4000)));
    expect([...respace(rescaled, [1, 3999]).timesteps]).toEqual([0.25, 999.75]);
  });

  it.each([[[]], [[3, 3]], [[5, 4]], [[-1, 2]], [[0, 1000]], [[0.5]]])("refuses %j", (use) => {
    expect(() => respace(schedule, use)).toThrow(/^(respacing|index): expected/);
  });
});

describe("roundHalfEven", () => {
  it("sends halves to the even neighbour", () => {
    expect([0.5, 1.5, 2.5, -0.5, -1.5, 2.4, 2.6, 7].map(roundHalfEven)).toEqual([0, 2, 2, 0, -2, 2, 3, 7]);
  });
});
