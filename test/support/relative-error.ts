/** @file The error measure of the recorded networks. */
import { expect } from "vitest";

/** Every item of a batch within `tolerance` of the reference: max |actual - expected| / max |expected| over the item. */
export function expectItemsClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  { items, tolerance }: { items: number; tolerance: number },
): void {
  expect(actual.length).toBe(expected.length);
  const size = expected.length / items;
  for (let item = 0; item < items; item++) {
    let [difference, largest] = [0, 0];
    for (let i = item * size; i < (item + 1) * size; i++) {
      difference = Math.max(difference, Math.abs(actual[i]! - expected[i]!));
      largest = Math.max(largest, Math.abs(expected[i]!));
      if (Number.isNaN(actual[i])) difference = Number.POSITIVE_INFINITY;
    }
    expect(difference / largest, `item ${item}`).toBeLessThanOrEqual(tolerance);
  }
}
