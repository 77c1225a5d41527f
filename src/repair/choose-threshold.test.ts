import { expect, test } from "vitest";
import { chooseThreshold } from "./choose-threshold.ts";

const points = (accuracies: readonly number[]) => async (at: number) => ({
  at,
  pruned: 10 * at,
  accuracy: accuracies[at]!,
});

test("takes the last threshold before accuracy falls too far, and looks no further", async () => {
  const { chosen, curve } = await chooseThreshold([0, 1, 2, 3, 4], points([0.9, 0.9, 0.86, 0.8, 0.9]), { least: 0.85 });
  expect(chosen).toEqual({ at: 2, pruned: 20, accuracy: 0.86 });
  expect(curve.map(({ at }) => at)).toEqual([0, 1, 2, 3]);
});

test("takes none when the first already costs too much, and the last when none does", async () => {
  const low = await chooseThreshold([0, 1], points([0.5, 0.9]), { least: 0.85 });
  expect([low.chosen, low.curve.length]).toEqual([undefined, 1]);
  expect((await chooseThreshold([0, 1], points([0.9, 0.85]), { least: 0.85 })).chosen?.at).toBe(1);
});

test("obeys an abort", async () => {
  const signal = AbortSignal.abort();
  await expect(chooseThreshold([0], points([1]), { least: 0, signal })).rejects.toBe(signal.reason);
});
