import { describe, expect, it } from "vitest";
import { perfectDenoiser } from "../../test/support/denoisers.ts";
import { gaussianPrior } from "../../test/support/gaussian-prior.ts";
import { openWith, testImages, testRun } from "../../test/support/purify-run.ts";
import { diffpure } from "./diffpure.ts";
import { toModelRange } from "./model-range.ts";

const prior = gaussianPrior(1, 6, 6);
const images = testImages([3, 1, 6, 6]);

describe("diffpure", () => {
  it.each(["ddpm", "ddim", "dpm-solver-multistep", "dpm-solver-singlestep"])(
    "returns the image where the net knows it, with %s",
    async (sampler) => {
      const predict = perfectDenoiser(prior.schedule, toModelRange(images));
      const purifier = await openWith(diffpure, { sampler, t: 300, steps: 6 }, { prior: { ...prior, predict } });
      const { images: purified, evidence } = await purifier.purify(images, testRun(3));
      expect(purified.data).toBeAllclose(images.data, { atol: 1e-4 });
      expect(evidence["difference"]!.data).toBeAllclose(new Float32Array(108), { atol: 1e-4 });
    },
  );

  it("calls the net as often as it says: t times for ddpm, steps times for ddim, in every round", async () => {
    for (const [raw, calls] of [
      [{ t: 12 }, 12],
      [{ t: 200, sampler: "ddim", steps: 4 }, 4],
      [{ t: 200, sampler: "ddim", steps: 4, rounds: 3 }, 12],
    ] as const) {
      const shown: number[] = [];
      const predict: typeof prior.predict = (x, t, signal) => {
        shown.push(t[0]!);
        return prior.predict(x, t, signal);
      };
      const purifier = await openWith(diffpure, raw, { prior: { ...prior, predict } });
      await purifier.purify(images, testRun(3));
      expect(shown).toHaveLength(calls);
      // t steps of noise are index t - 1; the trailing grid spends no call on index 0.
      expect(shown[0]).toBe(raw.t - 1);
      if ("sampler" in raw) expect(shown.slice(0, 4)).toEqual([199, 149, 100, 50]);
    }
  });

  it("reports its strength in pixels", async () => {
    const purifier = await openWith(diffpure, { t: 101 }, { prior });
    expect(purifier.sigma01["first"]).toBeCloseTo(0.171, 3);
  });
});
