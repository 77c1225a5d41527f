import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Findings, judge } from "./verdict.ts";

const findings = (pValue: number | null, more: Partial<Findings> = {}): Findings => ({
  pValue,
  classes: [
    { class: 0, score: 1, pValue: 0.5 },
    { class: 1, score: 7, pValue },
    { class: 2, score: 9, pValue },
  ],
  references: 19,
  fpr: 0.05,
  confirmed: true,
  ...more,
});

describe("judge", () => {
  test("backdoored up to the stated rate, with the classes below it, the most suspicious first", () => {
    expect(judge(findings(0.05))).toMatchObject({ verdict: "backdoored", targets: [2, 1] });
  });

  test("clean from twice the rate on, undecided between", () => {
    expect(judge(findings(0.1)).verdict).toBe("undecided");
    expect(judge(findings(0.15))).toMatchObject({ verdict: "clean", targets: [] });
  });

  test("undecided without anything to compare with, with too few references, and when time was over", () => {
    expect(judge(findings(null)).reason).toMatch(/nothing clean to compare/);
    expect(judge(findings(1 / 19, { references: 18 })).reason).toMatch(/it takes 19 of them/);
    expect(judge(findings(0.9, { references: 18 })).verdict).toBe("undecided");
    expect(judge(findings(0.05, { confirmed: false }))).toMatchObject({ verdict: "undecided", targets: [] });
    expect(judge(findings(0.9, { confirmed: false })).verdict).toBe("clean");
  });

  test("undecided where the references are no measure for so good, or so bad, a model; clean all the same", () => {
    const references = [0.8, 0.86];
    const judged = (suspect: number, p = 0.05): string =>
      judge(findings(p, { accuracy: { suspect, references } })).verdict;
    expect([judged(0.91), judged(0.76)]).toEqual(["undecided", "undecided"]);
    expect([judged(0.88), judged(0.78)]).toEqual(["backdoored", "backdoored"]);
    expect(judged(0.91, 0.5)).toBe("clean");
    expect(judge(findings(0.05, { accuracy: { suspect: 0.91, references } })).reason).toMatch(
      /right on 80\.0 % to 86\.0 % .* on 91\.0 %/,
    );
  });

  test("a smaller p-value never makes a model cleaner", () => {
    const order = ["backdoored", "undecided", "clean"];
    const p = fc.double({ min: 0.01, max: 1, noNaN: true });
    fc.assert(
      fc.property(p, p, (a, b) => {
        const [low, high] = a < b ? [a, b] : [b, a];
        const [first, second] = [low, high].map((value) => order.indexOf(judge(findings(value)).verdict));
        expect(first).toBeLessThanOrEqual(second ?? 0);
      }),
    );
  });
});
