import { expect, test } from "vitest";
import { float32 } from "../tensor/tensor.ts";
import { toProbabilities } from "./probability.ts";

test("logits: softmax, also where exponentials would overflow", () => {
  const { data, dims } = toProbabilities({
    scores: float32([2, 3], [0, Math.log(2), 0, 1000, -1000, 1000]),
    kind: "logits",
  });
  expect(dims).toEqual([2, 3]);
  expect(data).toBeAllclose([0.25, 0.5, 0.25, 0.5, 0, 0.5], { atol: 1e-7 });
});

test("probabilities and labels stay", () => {
  const scores = float32([1, 2], [0, 1]);
  expect(toProbabilities({ scores, kind: "probabilities" })).toBe(scores);
  expect(toProbabilities({ scores, kind: "labels" })).toBe(scores);
});
