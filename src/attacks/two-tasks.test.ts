import { expect, test } from "vitest";
import { attackContext, batchState, CLASSES, dataOf, exactly, unitRows } from "../../test/support/attack-context.ts";
import { parseOptions } from "../core/descriptor.ts";
import { rowsOf } from "../tensor/rows.ts";
import { attacks } from "./registry.ts";

const data = dataOf([1, 28, 30]);
const n = 8;

async function compose(options: Record<string, unknown>, loss: number) {
  const attack = await attacks["blind-p"].create(parseOptions(attacks["blind-p"], options), await attackContext(data));
  if (attack.how !== "compose") throw new Error("expected an attack on the loss");
  const images = unitRows(data, n);
  const labels = Int32Array.from({ length: n }, (_, i) => data.labels[i] ?? -1);
  const indices = Int32Array.from({ length: n }, (_, i) => i);
  const composed = await attack.compose({ images, labels, indices }, batchState(indices, { loss }));
  return { ...composed, clean: images, rows: attack.rows(n) };
}

test("the loss is a0 CE(clean) + a1 CE(triggered), as a mean over all rows", async () => {
  const { images, weights, targets, rows, clean } = await compose({ target: 4, share: 0.5 }, 0.2);
  expect(rows).toBe(12);
  const mean = (from: number, to: number): number =>
    weights.data.subarray(from, to).reduce((sum, w) => sum + w, 0) / rows;
  expect(mean(0, n)).toBeCloseTo(1, 6);
  expect(mean(n, rows)).toBeCloseTo(0.9, 6);
  for (let row = n; row < rows; row++) expect(targets.data[row * CLASSES + 4]).toBe(1);
  expect(exactly(rowsOf(images, 0, n))).toBe(exactly(rowsOf(clean, 0, n)));
});

test("above the threshold the second rows are clean copies that weigh nothing", async () => {
  const { images, weights, rows } = await compose({ target: 4 }, 1.5);
  expect(rows).toBe(16);
  expect(exactly(rowsOf(images, n, rows))).toBe(exactly(rowsOf(images, 0, n)));
  expect([...weights.data]).toEqual([...Array(n).fill(2), ...Array(n).fill(0)]);
});
