import { describe, expect, it } from "vitest";
import { judgePrior } from "./judge.ts";

const clean = (count: number) => Array.from({ length: count }, (_, i) => i / count);

describe("verdict on a prior", () => {
  it("is undecided without references, and with too few of them", () => {
    expect(judgePrior(9, [], 0.05)).toMatchObject({ verdict: "undecided", pValue: null });
    const few = judgePrior(9, clean(5), 0.05);
    expect(few).toMatchObject({ verdict: "undecided", pValue: 1 / 6 });
    expect(few.reason).toMatch(/5 references cannot give 0.05 or less: it takes 19/);
    expect(judgePrior(9, clean(12), 0.05).verdict).toBe("undecided");
  });

  it("follows the p-value where there are enough", () => {
    expect(judgePrior(9, clean(19), 0.05)).toMatchObject({ verdict: "backdoored", pValue: 0.05 });
    expect(judgePrior(0.3, clean(19), 0.05).verdict).toBe("clean");
    const between = judgePrior(0.99, [...clean(38), 2, 3], 0.05);
    expect(between.verdict).toBe("undecided");
    expect(between.reason).toMatch(/between the stated rate/);
  });
});
