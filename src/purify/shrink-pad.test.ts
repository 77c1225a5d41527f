import { expect, it } from "vitest";
import { openWith, testImages, testRun } from "../../test/support/purify-run.ts";
import { resize } from "../tensor/resize.ts";
import { float32 } from "../tensor/tensor.ts";
import { shrinkPad, shrunkAndPadded } from "./shrink-pad.ts";
import { zipTransform } from "./zip-transform.ts";

it("shrink-pad puts the shrunk image where it is told, on black", () => {
  const images = testImages([2, 2, 5, 6]);
  const padded = shrunkAndPadded(images, 2, (image) => [image, 2 - image]);
  const small = resize(images, 3, 4);
  for (let plane = 0; plane < 4; plane++) {
    const [top, left] = plane < 2 ? [0, 2] : [1, 1];
    for (let y = 0; y < 5; y++) {
      for (let x = 0; x < 6; x++) {
        const inside = y >= top && y < top + 3 && x >= left && x < left + 4;
        const expected = inside ? small.data[(plane * 3 + y - top) * 4 + x - left] : 0;
        expect(padded.data[(plane * 5 + y) * 6 + x]).toBe(expected);
      }
    }
  }
});

it("shrink-pad uses every offset, and refuses images that would vanish", async () => {
  const purifier = await openWith(shrinkPad, { pad: 1 });
  const white = float32([40, 1, 3, 3], new Float32Array(360).fill(1));
  const { images } = await purifier.purify(white, testRun(40));
  const corners = Array.from({ length: 40 }, (_, image) => images.data.subarray(9 * image).indexOf(1));
  expect(new Set(corners)).toEqual(new Set([0, 1, 3, 4]));
  const refusal = purifier.purify(float32([1, 1, 1, 9]), testRun(1));
  await expect(refusal).rejects.toThrow("shrink-pad: expected images of more than 1 pixels along each side, got 1x9.");
});

it("zip-transform is the mean of each block", async () => {
  const purifier = await openWith(zipTransform, { scale: 2 });
  const { images } = await purifier.purify(float32([1, 1, 2, 3], [0, 1, 0.5, 1, 0, 0]), testRun(1));
  expect([...images.data]).toEqual([0.5, 0.5, 0.25, 0.5, 0.5, 0.25]);
});
