import fc from "fast-check";
import { expect, test } from "vitest";
import { winners } from "../metrics/accuracy.ts";
import { float32 } from "../tensor/tensor.ts";
import { answerOf } from "./answer.ts";

const before = float32([3, 3], [0.9, 0.1, 0, 0.9, 0.1, 0, 1, 0, 0]);
const after = float32([3, 3], [0.2, 0.5, 0.3, 0.5, 0.4, 0.1, 1, 0, 0]);

test("purified: what the classifier says after purification", () => {
  const rule = { rule: "purified", threshold: 0.5 } as const;
  expect(answerOf({ before, after, suspicion: [1, 1, 1] }, rule)).toBe(after);
});

test("verdict: an image that is not flagged keeps its scores; a flagged one loses the class that it came as", () => {
  const rule = { rule: "verdict", threshold: 0.5 } as const;
  const { data } = answerOf({ before, after, suspicion: [0.5, 0.6, 0.6] }, rule);
  const expected = [0.9, 0.1, 0, 0, 0.8, 0.2, 0, 0.5, 0.5];
  expect([...data].map((score) => Math.round(score * 1e6) / 1e6)).toEqual(expected);
  expect([...before.data.slice(0, 2)]).toEqual([...float32([2], [0.9, 0.1]).data]);
});

test("verdict: rows are distributions, and a flagged row never names the class that it came as", () => {
  const scores = fc.array(fc.float({ min: 0, max: 1, noNaN: true }), { minLength: 4, maxLength: 4 });
  fc.assert(
    fc.property(scores, scores, fc.float({ min: 0, max: 2, noNaN: true }), (one, two, suspicion) => {
      const unit = (row: number[]): number[] => {
        const sum = row.reduce((total, score) => total + score, 0);
        return sum > 0 ? row.map((score) => score / sum) : [0.25, 0.25, 0.25, 0.25];
      };
      const [came, went] = [float32([1, 4], unit(one)), float32([1, 4], unit(two))];
      const answer = answerOf({ before: came, after: went, suspicion: [suspicion] }, { rule: "verdict", threshold: 1 });
      expect(answer.data.reduce((sum, score) => sum + score, 0)).toBeCloseTo(1, 5);
      expect(winners(answer)[0] === winners(came)[0]).toBe(suspicion <= 1);
    }),
  );
});
