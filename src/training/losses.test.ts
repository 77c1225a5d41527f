import { describe, expect, test } from "vitest";
import { runModel } from "../../test/support/run-model.ts";
import type { ScoreKind } from "../classifiers/classifier.ts";
import { FormatError } from "../core/errors.ts";
import { GraphBuilder } from "../graph/builder.ts";
import { graphToBytes } from "../graph/to-model.ts";
import { float32, type Tensor } from "../tensor/tensor.ts";
import { crossEntropyLoss, ROW_WEIGHTS, squaredLoss, TARGETS } from "./losses.ts";
import type { WriteLoss } from "./step.ts";

async function lossOf(write: WriteLoss, y: Tensor, feeds: Record<string, Tensor>): Promise<number> {
  const b = new GraphBuilder();
  const name = b.input("y", y.dtype, y.dims);
  b.output("loss", write(b, { y: { name, dtype: y.dtype, dims: y.dims } }), "float32");
  const { loss } = await runModel(graphToBytes(b.build("loss")), { y, ...feeds });
  expect(loss!.dims).toEqual([]);
  return Number(loss!.data[0]);
}

const scores = [2, -1, 0.5, 0, 0, 3];
const targets = [1, 0, 0, 0.2, 0.3, 0.5];
const weights = [1, 0.25];
const fed = { [TARGETS]: float32([2, 3], targets), [ROW_WEIGHTS]: float32([2], weights) };

function expected(probabilities: readonly number[]): number {
  const rows = [0, 1].map((row) =>
    targets.slice(3 * row, 3 * row + 3).reduce((sum, t, i) => sum - t * Math.log(probabilities[3 * row + i]!), 0),
  );
  return (rows[0]! * weights[0]! + rows[1]! * weights[1]!) / 2;
}

const softmax = [0, 1].flatMap((row) => {
  const powers = scores.slice(3 * row, 3 * row + 3).map(Math.exp);
  const sum = powers.reduce((a, b) => a + b);
  return powers.map((power) => power / sum);
});

describe("cross-entropy", () => {
  test.each<[string, ScoreKind, number[], number[]]>([
    ["logits", "logits", [2, 3], scores],
    ["probabilities", "probabilities", [2, 3], softmax],
    ["scores with axes of one behind them", "logits", [2, 3, 1, 1], scores],
  ])("of %s, with soft targets, weighted by row", async (_case, kind, dims, values) => {
    const loss = await lossOf(crossEntropyLoss("y", kind), float32(dims, values), fed);
    expect(loss).toBeCloseTo(expected(softmax), 5);
  });

  test("rows without weight do not count, whatever they hold", async () => {
    const padding = { ...fed, [ROW_WEIGHTS]: float32([2], [2, 0]) };
    const loss = await lossOf(crossEntropyLoss("y"), float32([2, 3], [...scores.slice(0, 3), 9e3, -9e3, 1]), padding);
    expect(loss).toBeCloseTo(-Math.log(softmax[0]!), 5);
  });

  test("of logits far apart it is finite", async () => {
    const hard = { ...fed, [TARGETS]: float32([2, 3], [0, 1, 0, 0, 1, 0]), [ROW_WEIGHTS]: float32([2], [1, 1]) };
    expect(await lossOf(crossEntropyLoss("y"), float32([2, 3], [1e4, 0, 0, 1e4, 0, 0]), hard)).toBeCloseTo(1e4, 0);
  });

  test("refuses what is no score per class and image", async () => {
    const asked = lossOf(crossEntropyLoss("y"), float32([2, 3, 4]), {});
    await expect(asked).rejects.toThrow("classifier: expected scores [2, K] for gradients, got [2, 3, 4].");
    await expect(asked).rejects.toThrow(FormatError);
  });
});

test("the squared loss is the mean over all numbers", async () => {
  const loss = await lossOf(squaredLoss("y", "wanted"), float32([2, 3], scores), { wanted: float32([2, 3], targets) });
  const mean = scores.reduce((sum, score, i) => sum + (score - targets[i]!) ** 2, 0) / 6;
  expect(loss).toBeCloseTo(mean, 5);
});
