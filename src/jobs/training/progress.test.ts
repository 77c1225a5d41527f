import { expect, test } from "vitest";
import { followTraining, recentLoss } from "./progress.ts";

test("the loss that is shown is the mean of the last hundred", () => {
  const losses = Array.from({ length: 150 }, (_, i) => i);
  expect(recentLoss(losses)).toBe(99.5);
  expect(followTraining({ steps: 300, batch: 32, losses }, { step: 150, rate: 0.1 })).toEqual({
    step: 150,
    steps: 300,
    loss: 99.5,
    images: 4800,
    rate: 0.1,
  });
});
