import { describe, expect, it } from "vitest";
import { gaussianPrior, linearClassifier } from "../../test/support/gaussian-prior.ts";
import { openWith, testImages, testRun } from "../../test/support/purify-run.ts";
import type { Classifier } from "../classifiers/classifier.ts";
import { cosineBetas, linearBetas, makeSchedule } from "../diffusion/schedules.ts";
import { float32 } from "../tensor/tensor.ts";
import { chainFrom } from "./chain.ts";
import { compositeMask } from "./composite-mask.ts";
import { toModelRange } from "./model-range.ts";
import { drawMasks, maskedImages, riseSaliency } from "./rise.ts";
import { conditionedPass, sancdifi } from "./sancdifi.ts";

/** A classifier whose first class is how bright one square is, and whose second is the rest. */
function looksAt(rows: readonly [number, number], columns: readonly [number, number]): Pick<Classifier, "classify"> {
  return {
    async classify(images) {
      const [n = 0, , h = 0, w = 0] = images.dims;
      const scores = Array.from({ length: n }, (_, image) => {
        let sum = 0;
        for (let y = rows[0]; y < rows[1]; y++) {
          for (let x = columns[0]; x < columns[1]; x++) sum += images.data[(image * h + y) * w + x]!;
        }
        const share = sum / ((rows[1] - rows[0]) * (columns[1] - columns[0]));
        return [share, 1 - share];
      });
      return { scores: float32([n, 2], scores.flat()), kind: "probabilities" };
    },
  };
}

const rise = { masks: 300, cells: 8, keep: 0.5, fill: "black" } as const;

describe("rise", () => {
  it("finds where a black box looks", async () => {
    const white = float32([2, 1, 24, 24], new Float32Array(2 * 576).fill(1));
    const classifier = looksAt([15, 21], [3, 9]);
    const saliency = await riseSaliency(white, [[0], [0]], classifier, { ...rise, run: testRun(2) });
    const kept = compositeMask(saliency, 95);
    for (let image = 0; image < 2; image++) {
      const salient = [...kept.data.subarray(image * 576, (image + 1) * 576).entries()].filter(
        ([, value]) => value === 0,
      );
      expect(salient).toHaveLength(29);
      const inside = salient.filter(([p]) => p / 24 >= 13 && p / 24 < 23 && p % 24 >= 1 && p % 24 < 11);
      expect(inside.length).toBeGreaterThan(26);
    }
  });

  it("draws masks as a function of image and number, and keeps the share it is told to", () => {
    const size = { cells: 5, height: 12, width: 9, keep: 0.3 };
    const run = testRun(2);
    const all = drawMasks(run, 1, { ...size, first: 0, count: 400 });
    const later = drawMasks(run, 1, { ...size, first: 300, count: 100 });
    expect(later.grids).toEqual(all.grids.subarray(300 * 25));
    expect(later.offsets).toEqual(all.offsets.subarray(600));
    const share = all.grids.reduce((sum, cell) => sum + cell, 0) / all.grids.length;
    expect(share).toBeCloseTo(0.3, 1);
    // A cell is 3 x 2 pixels.
    const [rows, columns] = [0, 1].map((axis) => all.offsets.filter((_, i) => i % 2 === axis));
    expect([new Set(rows), new Set(columns)]).toEqual([new Set([0, 1, 2]), new Set([0, 1])]);
  });

  it("hides pixels behind a colour", () => {
    const seeds = { grids: Uint8Array.of(0, 0, 0, 0), offsets: Int32Array.of(0, 0) };
    const hidden = maskedImages(testImages([1, 2, 4, 4]), seeds, { cells: 2, colour: [0.25, 0.75] });
    expect([...hidden.data]).toEqual([...new Array(16).fill(0.25), ...new Array(16).fill(0.75)]);
  });
});

describe("sancdifi", () => {
  it("leaves kept pixels untouched in a pass", async () => {
    const prior = gaussianPrior(2, 4, 4);
    const chain = chainFrom(prior, 20, 1, { sampler: "ddpm", grid: "lin", eta: 0, clip: true, variance: "prior" });
    const x = toModelRange(testImages([1, 2, 4, 4]));
    const kept = float32(
      [1, 1, 4, 4],
      Array.from({ length: 16 }, (_, i) => (i < 6 ? 1 : 0)),
    );
    const noise = () => testImages([1, 2, 4, 4]);
    const passed = await conditionedPass(x, kept, chain, { start: noise(), run: { noise } });
    passed.data.forEach((value, i) => {
      if (i % 16 < 6) expect(value).toBe(x.data[i]);
      else expect(value).not.toBe(x.data[i]);
    });
  });

  it("costs N + 1 queries an image, and explains one class where only labels are known", async () => {
    const prior = gaussianPrior(1, 10, 10);
    const images = testImages([3, 1, 10, 10]);
    const raw = { sampler: "ddim", masks: 50, cells: 5 };
    for (const [kind, salient] of [["logits", { from: 6, to: 25 }] as const, ["labels", { from: 0, to: 5 }] as const]) {
      const classifier = linearClassifier(6, kind);
      const purifier = await openWith(sancdifi, raw, { prior, classifier });
      const { evidence } = await purifier.purify(images, testRun(3));
      expect(classifier.calls).toBe(3 * 51);
      for (let image = 0; image < 3; image++) {
        const marked = evidence["mask"]!.data.subarray(image * 100, (image + 1) * 100).reduce(
          (sum, value) => sum + value,
          0,
        );
        expect(marked).toBeGreaterThanOrEqual(salient.from);
        expect(marked).toBeLessThanOrEqual(salient.to);
      }
    }
  });

  it("counts steps of a 1000-step chain on longer priors", async () => {
    const base = gaussianPrior(1, 8, 8);
    const classifier = linearClassifier(3);
    const cosine = { ...base, schedule: makeSchedule(cosineBetas(4000)) };
    const { sigma01 } = await openWith(sancdifi, {}, { prior: cosine, classifier });
    expect(sigma01["first"]).toBeCloseTo(0.26, 2);
    expect(sigma01["second"]).toBeCloseTo(0.085, 2);
    const short = { ...base, schedule: makeSchedule(linearBetas(400)) };
    expect((await openWith(sancdifi, {}, { prior: short, classifier })).sigma01["first"]).toBeGreaterThan(0);
  });
});
