import { describe, expect, test } from "vitest";
import { OptionError } from "../../core/errors.ts";
import { tensor } from "../../tensor/tensor.ts";
import { augment, augmentationOptions } from "./augment.ts";
import { type MaskedBatches, maskedBatches, visiblePatches } from "./masked.ts";

const images = tensor(
  "uint8",
  [40, 1, 4, 4],
  Uint8Array.from({ length: 640 }, (_, i) => (7 * i) % 256),
);
const settings: MaskedBatches = { images, patches: 16, visible: 4, batch: 6, seed: 2 };

describe("masked batches", () => {
  test("show as many patches of every image, each image others", async () => {
    const { pixel_values: pixels, mask } = await maskedBatches(settings)(0);
    expect([pixels!.dims, mask!.dims]).toEqual([
      [6, 1, 4, 4],
      [6, 16],
    ]);
    const rows = Array.from({ length: 6 }, (_, row) => mask!.data.slice(16 * row, 16 * (row + 1)) as Float32Array);
    for (const row of rows) expect([...row].sort()).toEqual([...Array(4).fill(0), ...Array(12).fill(1)]);
    expect(new Set(rows.map(String)).size).toBeGreaterThan(4);
  });

  test("a mask is a function of seed, step and row, whatever the batch", async () => {
    const masks = async (changes: Partial<MaskedBatches>, step: number): Promise<Float32Array> =>
      (await maskedBatches({ ...settings, ...changes })(step))["mask"]!.data as Float32Array;
    const own = await masks({}, 3);
    expect(await masks({}, 3)).toEqual(own);
    expect(await masks({ batch: 2 }, 3)).toEqual(own.slice(0, 32));
    expect(await masks({}, 4)).not.toEqual(own);
    expect(await masks({ seed: 3 }, 3)).not.toEqual(own);
  });

  test("every patch is hidden as often", async () => {
    const batches = maskedBatches({ ...settings, batch: 40 });
    const counts = new Float64Array(16);
    for (let step = 0; step < 50; step++) {
      const { mask } = await batches(step);
      (mask!.data as Float32Array).forEach((value, i) => {
        counts[i % 16]! += value;
      });
    }
    for (const count of counts) expect(Math.abs(count - 1500)).toBeLessThan(5 * Math.sqrt(2000 * 0.75 * 0.25));
  });

  test("change images as they are told", async () => {
    const augmentation = augmentationOptions.parse({ flip: true, crop: 1 });
    const before = (await maskedBatches(settings)(1))["pixel_values"];
    const after = (await maskedBatches({ ...settings, augmentation })(1))["pixel_values"];
    if (before?.dtype !== "float32") throw new Error("images are float32");
    expect(after).toEqual(augment(before, augmentation, { seed: 2, step: 1 }));
  });

  test.each([0, 17, 1.5])("refuse to show %f of 16 patches", (visible) => {
    const open = (): unknown => maskedBatches({ ...settings, visible });
    expect(open).toThrow(`training: expected from 1 to 16 visible patches, got ${visible}.`);
    expect(open).toThrow(OptionError);
  });

  test("a share hidden leaves the others, and one at least", () => {
    expect([0, 0.5, 0.75, 0.9, 1].map((hidden) => visiblePatches(49, hidden))).toEqual([49, 24, 12, 4, 1]);
  });
});
