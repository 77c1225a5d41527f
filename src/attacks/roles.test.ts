import { expect, test } from "vitest";
import { attackContext, batchState, CLASSES, dataOf, ITEMS, unitRows } from "../../test/support/attack-context.ts";
import { parseOptions } from "../core/descriptor.ts";
import { rowsOf, takeRows } from "../tensor/rows.ts";
import type { Float32Tensor } from "../tensor/tensor.ts";
import type { ComposingAttack } from "./attack.ts";
import { attacks } from "./registry.ts";

const data = dataOf([1, 28, 30]);

async function open(options: Record<string, unknown>): Promise<ComposingAttack> {
  const attack = await attacks.wanet.create(parseOptions(attacks.wanet, options), await attackContext(data));
  if (attack.how !== "compose") throw new Error("expected an attack on batches");
  return attack;
}

/** What became of the rows of a batch: unchanged, changed with a new label, changed with their own. */
async function rolesOf(attack: ComposingAttack, indices: Int32Array, step: number): Promise<string[]> {
  const images = takeRows(unitRows(data, ITEMS), indices);
  const labels = indices.map((index) => data.labels[index] ?? -1);
  const composed = await attack.compose({ images, labels, indices }, batchState(indices, { step }));
  const differs = (a: Float32Tensor, b: Float32Tensor, row: number): boolean =>
    rowsOf(a, row, row + 1).data.some((value, i) => value !== rowsOf(b, row, row + 1).data[i]);
  return Array.from(indices, (_, row) => {
    if (!differs(composed.images, images, row)) return "clean";
    return composed.targets.data[row * CLASSES + (labels[row] ?? -1)] === 1 ? "control" : "triggered";
  });
}

const batch = (from: number): Int32Array => Int32Array.from({ length: 40 }, (_, i) => (from + 7 * i) % ITEMS);

test("a share of every batch is triggered and another noisy, others in the next epoch", async () => {
  const attack = await open({ target: 9 });
  const roles = await rolesOf(attack, batch(0), 0);
  expect(roles.slice(0, 4).filter((role) => role !== "clean").length).toBe(4);
  expect(roles.filter((role) => role === "clean").length).toBe(28);
  expect(roles.slice(12)).toEqual(Array(28).fill("clean"));
});

test("less than a row of a batch is a row in so many batches", async () => {
  const attack = await open({ target: 9, poisonRatio: 0.0125, controlRatio: 0 });
  let changed = 0;
  for (let step = 0; step < 40; step++) {
    changed += (await rolesOf(attack, batch(1), step)).filter((role) => role === "triggered").length;
  }
  // Half a row a batch: 20 expected, and between 10 and 30 in all but one of a thousand draws.
  expect(changed).toBeGreaterThanOrEqual(10);
  expect(changed).toBeLessThanOrEqual(30);
});

test("fixed rows are the same images in every batch and epoch", async () => {
  const attack = await open({ target: 9, rows: "fixed", poisonRatio: 0.3 });
  const triggeredIn = async (indices: Int32Array, step: number): Promise<number[]> => {
    const roles = await rolesOf(attack, indices, step);
    return [...indices].filter((_, row) => roles[row] === "triggered").sort((a, b) => a - b);
  };
  const first = await triggeredIn(batch(0), 0);
  expect(first.length).toBeGreaterThan(4);
  expect(await triggeredIn(batch(0).reverse(), 77)).toEqual(first);
});

test("classes that the map spares are never triggered", async () => {
  const attack = await open({
    labels: "source-to-target",
    sources: [1, 2],
    target: 9,
    poisonRatio: 1,
    controlRatio: 0,
  });
  const indices = batch(0);
  const roles = await rolesOf(attack, indices, 0);
  roles.forEach((role, row) => {
    const shown = data.labels[indices[row] ?? -1] ?? -1;
    expect(role).toBe([1, 2].includes(shown) ? "triggered" : "clean");
  });
});
