import { expect, test } from "vitest";
import { attackContext, batchState, CLASSES, dataOf, exactly, unitRows } from "../../../test/support/attack-context.ts";
import { parseOptions } from "../../core/descriptor.ts";
import { rowsOf } from "../../tensor/rows.ts";
import { blindPStar } from "../blind-p-star.ts";

const data = dataOf([1, 28, 30]);
const n = 8;

async function compose(options: Record<string, unknown>, { loss = 0.2, step = 5 } = {}) {
  const attack = await blindPStar.create(parseOptions(blindPStar, options), await attackContext(data));
  if (attack.how !== "compose") throw new Error("expected an attack on the loss");
  const labels = Int32Array.from({ length: n }, (_, i) => data.labels[i] ?? -1);
  const indices = Int32Array.from({ length: n }, (_, i) => i);
  const batch = { images: unitRows(data, n), labels, indices };
  return { ...(await attack.compose(batch, batchState(indices, { loss, step }))), labels, rows: attack.rows(n) };
}

test("the loss has three terms with the weights that were asked for", async () => {
  const { weights, targets, rows, labels } = await compose({
    target: 4,
    share: 0.5,
    smoothedShare: 0.25,
    smoothedWeight: 0.6,
  });
  expect(rows).toBe(14);
  const mean = (from: number, to: number): number =>
    weights.data.subarray(from, to).reduce((sum, weight) => sum + weight, 0) / rows;
  expect([mean(0, 8), mean(8, 12), mean(12, 14)]).toBeAllclose([1, 0.9, 0.6], { atol: 1e-6 });
  for (const row of [12, 13]) expect(targets.data[row * CLASSES + labels[row - 12]!]).toBe(1);
});

test("the third rows are the second ones behind noise of the step", async () => {
  const far = (images: Awaited<ReturnType<typeof compose>>["images"]): number => {
    const [second, third] = [rowsOf(images, 8, 16), rowsOf(images, 16, 24)];
    const inside = [...second.data.keys()].filter((i) => second.data[i]! > 0.4 && second.data[i]! < 0.6);
    return Math.sqrt(inside.reduce((sum, i) => sum + (third.data[i]! - second.data[i]!) ** 2, 0) / inside.length);
  };
  expect(far((await compose({ sigma: 0 })).images)).toBe(0);
  const { images } = await compose({ sigma: 0.1 });
  expect(far(images)).toBeCloseTo(0.1, 1);
  expect(exactly((await compose({ sigma: 0.1 })).images)).toBe(exactly(images));
  expect(exactly((await compose({ sigma: 0.1 }, { step: 6 })).images)).not.toBe(exactly(images));
});

test("above the threshold only clean images count", async () => {
  const { images, weights } = await compose({}, { loss: 1.5 });
  expect([...weights.data]).toEqual([...Array(n).fill(3), ...Array(2 * n).fill(0)]);
  expect(exactly(rowsOf(images, 16, 24))).toBe(exactly(rowsOf(images, 0, 8)));
});
