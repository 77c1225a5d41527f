import { describe, expect, test } from "vitest";
import { OptionError } from "../../core/errors.ts";
import { createOrder, stepsPerEpoch } from "./order.ts";

const settings = { items: 23, batch: 5, seed: 7 };
const sorted = (values: Iterable<number>): number[] => [...values].sort((a, b) => a - b);

describe("order", () => {
  test("an epoch shows no image twice, and leaves out fewer than a batch", () => {
    expect(stepsPerEpoch(settings)).toBe(4);
    const order = createOrder(settings);
    for (const epoch of [0, 1, 2]) {
      const shown = [0, 1, 2, 3].flatMap((step) => [...order(4 * epoch + step)]);
      expect(new Set(shown).size).toBe(20);
      for (const item of shown) expect(item).toBeLessThan(23);
    }
  });

  test("each epoch has an order of its own, and each seed", () => {
    const order = createOrder({ ...settings, items: 20, batch: 20 });
    expect(sorted(order(0))).toEqual(sorted(order(1)));
    expect(order(0)).not.toEqual(order(1));
    expect(order(0)).not.toEqual(createOrder({ ...settings, items: 20, batch: 20, seed: 8 })(0));
  });

  test("a batch is a function of its step, in whatever order steps are asked for", () => {
    const [forth, back] = [createOrder(settings), createOrder(settings)];
    const steps = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
    const expected = steps.map((step) => forth(step));
    expect(steps.toReversed().map((step) => back(step))).toEqual(expected.toReversed());
  });

  test("every place is as likely for every image", () => {
    const counts = new Float64Array(5);
    const epochs = 2000;
    const order = createOrder({ items: 5, batch: 5, seed: 3 });
    for (let epoch = 0; epoch < epochs; epoch++) counts[order(epoch).indexOf(0)]! += 1;
    // Five standard deviations of a count.
    for (const count of counts) expect(Math.abs(count - epochs / 5)).toBeLessThan(5 * Math.sqrt(epochs * 0.16));
  });

  test("what was given can be changed without changing what comes", () => {
    const order = createOrder(settings);
    const first = order(0);
    const kept = first.slice();
    first.fill(0);
    expect(order(0)).toEqual(kept);
  });

  test.each([0, 4])("%i images are no batch of five", (items) => {
    const create = (): unknown => createOrder({ ...settings, items });
    expect(create).toThrow(`training: expected at least 5 images for a batch, got ${items}.`);
    expect(create).toThrow(OptionError);
  });
});
