import { describe, expect, it } from "vitest";
import { perfectDenoiser } from "../../test/support/denoisers.ts";
import { gaussianPrior } from "../../test/support/gaussian-prior.ts";
import { openWith, testImages, testRun } from "../../test/support/purify-run.ts";
import { float32 } from "../tensor/tensor.ts";
import { toModelRange } from "./model-range.ts";
import { pixelLevels, similarityMap, snappedUp } from "./pixel-levels.ts";
import { sampdetox } from "./sampdetox.ts";

const prior = gaussianPrior(1, 16, 16);

describe("pixel levels", () => {
  it("are highest where the light result differs most, and 0 where nothing changed", () => {
    const images = testImages([2, 1, 16, 16]);
    const light = float32(images.dims, images.data.slice());
    light.data[5 * 16 + 9] = 1 - light.data[5 * 16 + 9]!;
    const { similarity } = similarityMap(images, light, { dataRange: 255, grey: "rgb" });
    const levels = pixelLevels(similarity, 120);
    expect(levels.indexOf(120)).toBe(5 * 16 + 9);
    expect(levels[15 * 16]).toBe(0);
    expect(levels.subarray(256).every((level) => level === 0)).toBe(true);
  });

  it("weighs three channels as told, others evenly", () => {
    const images = testImages([1, 3, 16, 16]);
    const light = float32(
      images.dims,
      images.data.map((value, i) => (i < 256 ? 1 - value : value)),
    );
    const [rgb, bgr] = (["rgb", "bgr"] as const).map((grey) => {
      return similarityMap(images, light, { dataRange: 1, grey }).ssim.data[0]!;
    });
    // Only red changed: 1 - ssim is its weight times the same number.
    expect((1 - rgb!) / (1 - bgr!)).toBeCloseTo(0.3 / 0.11, 6);
  });

  it("snap up to visited indices", () => {
    expect([...snappedUp(Int32Array.of(0, 1, 50, 51, 199, 200, 201), [200, 50, 0])]).toEqual([
      0, 50, 50, 200, 200, 200, 200,
    ]);
  });
});

describe("sampdetox", () => {
  it.each([{}, { sampler: "ddim", snap: true }, { sharedNoise: true }])(
    "returns the image where the net knows it: %o",
    async (raw) => {
      const images = testImages([2, 1, 16, 16]);
      const predict = perfectDenoiser(prior.schedule, toModelRange(images));
      const purifier = await openWith(sampdetox, { t1: 20, t2: 60, ...raw }, { prior: { ...prior, predict } });
      const { images: purified, evidence } = await purifier.purify(images, testRun(2));
      expect(purified.data).toBeAllclose(images.data, { atol: "snap" in raw ? 1e-4 : 0.05 });
      expect(Math.max(...evidence["level"]!.data)).toBeGreaterThan(0.9);
    },
  );

  it("shows the net the indices of both stages", async () => {
    const shown: number[] = [];
    const predict: typeof prior.predict = (x, t, signal) => {
      shown.push(t[0]!);
      return prior.predict(x, t, signal);
    };
    const raw = sampdetox.presets.recommended![0];
    const purifier = await openWith(sampdetox, raw, { prior: { ...prior, predict } });
    await purifier.purify(testImages([1, 1, 16, 16]), testRun(1));
    expect(shown).toHaveLength(4 + 8);
    expect([shown[0], shown[4]]).toEqual([149, 399]);
    expect(purifier.sigma01).toEqual({ first: expect.closeTo(0.26, 2), second: expect.closeTo(1.05, 1) });
  });
});
