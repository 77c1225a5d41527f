import { describe, expect, test } from "vitest";
import { OptionError, ShapeError } from "../../core/errors.ts";
import { tensor } from "../../tensor/tensor.ts";
import { augment, augmentationOptions } from "./augment.ts";
import { type LabelledBatches, labelledBatches, oneHot } from "./labelled.ts";
import { createOrder } from "./order.ts";

/** Twelve images, each of one colour that tells its number; of class number mod 3. */
const items = 12;
const images = tensor(
  "uint8",
  [items, 3, 4, 4],
  Uint8Array.from({ length: items * 48 }, (_, i) => 20 * Math.floor(i / 48)),
);
const labels = Uint8Array.from({ length: items }, (_, i) => i % 3);
const settings: LabelledBatches = { images, labels, classes: 3, batch: 5, seed: 2 };

describe("labelled batches", () => {
  test("show the images of the order in [0, 1] with their classes", async () => {
    const order = createOrder({ items, batch: 5, seed: 2 });
    const batches = labelledBatches(settings);
    for (const step of [0, 1, 7]) {
      const { images: shown, targets, weights } = await batches(step);
      expect([shown.dims, targets.dims, weights.dims]).toEqual([[5, 3, 4, 4], [5, 3], [5]]);
      expect(new Set(weights.data)).toEqual(new Set([1]));
      [...order(step)].forEach((item, row) => {
        expect(new Set(shown.data.slice(48 * row, 48 * (row + 1)))).toEqual(new Set([Math.fround((20 * item) / 255)]));
        expect([...targets.data.slice(3 * row, 3 * row + 3)]).toEqual([0, 1, 2].map((k) => (k === item % 3 ? 1 : 0)));
      });
    }
  });

  test("are functions of the step", async () => {
    const [one, other] = [labelledBatches(settings), labelledBatches(settings)];
    const last = await one(9);
    await other(0);
    expect(await other(9)).toEqual(last);
    expect(await labelledBatches({ ...settings, seed: 3 })(9)).not.toEqual(last);
  });

  test("change images as they are told", async () => {
    const augmentation = augmentationOptions.parse({ cutOut: 2, flip: true });
    const [plain, changed] = [labelledBatches(settings), labelledBatches({ ...settings, augmentation })];
    const [before, after] = [await plain(4), await changed(4)];
    expect(after.images).toEqual(augment(before.images, augmentation, { seed: 2, step: 4 }));
    expect(after.targets).toEqual(before.targets);
  });

  test.each<[string, Partial<LabelledBatches>, string]>([
    ["labels that are no classes", { classes: 2 }, "training: expected labels from 0 to 1, got 2 for image 2."],
    ["labels below zero", { labels: [0, -1, 2, ...labels.slice(3)] }, "from 0 to 2, got -1 for image 1."],
    ["half a class", { labels: [0.5, ...labels.slice(1)] }, "from 0 to 2, got 0.5 for image 0."],
    ["more batch than images", { batch: 13 }, "training: expected at least 13 images for a batch, got 12."],
  ])("refuse %s", (_case, changes, sentence) => {
    const open = (): unknown => labelledBatches({ ...settings, ...changes });
    expect(open).toThrow(sentence);
    expect(open).toThrow(OptionError);
  });

  test.each<[string, Partial<LabelledBatches>, string]>([
    ["fewer labels than images", { labels: [0, 1] }, "training: expected a label for each of 12 images, got 2."],
    ["images that are none", { images: tensor("uint8", [12, 48], images.data) }, "training: expected"],
  ])("refuse %s", (_case, changes, sentence) => {
    const open = (): unknown => labelledBatches({ ...settings, ...changes });
    expect(open).toThrow(sentence);
    expect(open).toThrow(ShapeError);
  });
});

test("one-hot rows have a one where their class is", () => {
  expect(oneHot([2, 0], 3)).toEqual({ dtype: "float32", dims: [2, 3], data: Float32Array.of(0, 0, 1, 1, 0, 0) });
});
