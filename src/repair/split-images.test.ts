import { expect, test } from "vitest";
import { OptionError } from "../core/errors.ts";
import { float32, tensor } from "../tensor/tensor.ts";
import { splitImages } from "./split-images.ts";

/** Images of one pixel that say which they are. */
const numbered = (labels: readonly number[]) => ({
  images: tensor(
    "uint8",
    [labels.length, 1, 1, 1],
    Uint8Array.from(labels, (_, i) => i),
  ),
  labels,
});
const three = numbered(Array.from({ length: 60 }, (_, i) => i % 3));

test("holds out a share of every class, by seed, and no image twice", () => {
  const { learned, held } = splitImages(three, { seed: 1, held: true });
  expect([learned.labels.length, held.labels.length]).toEqual([42, 18]);
  for (const label of [0, 1, 2]) expect(Array.from(held.labels).filter((own) => own === label).length).toBe(6);
  expect([...learned.images.data, ...held.images.data].sort((a, b) => a - b)).toEqual([...three.images.data]);
  for (const { images, labels } of [learned, held])
    expect(Array.from(labels)).toEqual(Array.from(images.data, (i) => i % 3));
  expect(splitImages(three, { seed: 1, held: true })).toEqual({ learned, held });
  expect(splitImages(three, { seed: 2, held: true }).held.images.data).not.toEqual(held.images.data);
});

test("holds out none where nothing is chosen", () => {
  const { learned, held } = splitImages(three, { seed: 1, held: false });
  expect([learned.labels.length, held.labels.length]).toEqual([60, 0]);
  expect(float32([0, 1, 1, 1]).dims).toEqual(held.images.dims);
});

test("refuses too few images, and classes of one image each", () => {
  const few = (): unknown => splitImages(numbered([0, 1, 2]), { seed: 1, held: false });
  expect(few).toThrow(
    "repair: expected at least 20 clean images with labels, got 3. Do give more; a few hundred are usual.",
  );
  expect(few).toThrow(OptionError);
  const alone = numbered(Array.from({ length: 25 }, (_, i) => i));
  expect(() => splitImages(alone, { seed: 1, held: true })).toThrow(/expected two images or more of some class/);
});
