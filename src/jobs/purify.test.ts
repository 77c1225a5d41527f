import { describe, expect, test } from "vitest";
import { gaussianPrior, linearClassifier } from "../../test/support/gaussian-prior.ts";
import { OptionError, ShapeError } from "../core/errors.ts";
import { createNoise } from "../core/noise.ts";
import type { Picture } from "../images/picture.ts";
import { purifyRow, purifySummary } from "../results/purify-row.ts";
import { openPurifier } from "./open-purifier.ts";
import { type PurifiedPicture, type PurifyHost, purifyPictures } from "./purify.ts";

const [HEIGHT, WIDTH] = [8, 6];

/** Different pictures: noise of a fixed seed, 8 bits. */
function pictureOf(i: number, height = HEIGHT, channels: 1 | 3 = 1): Picture {
  const noise = createNoise(1, [[i, 0]])(0, "pixels", 0, channels * height * WIDTH);
  const pixels = Uint8Array.from(noise, (z) => Math.round(Math.min(Math.max(127 + 50 * z, 0), 255)));
  return { name: `p${i}`, channels, height, width: WIDTH, pixels };
}

async function* streamOf(count: number, make = pictureOf): AsyncGenerator<Picture> {
  for (let i = 0; i < count; i++) yield make(i);
}

/** Runs the job and keeps everything that it hands over. */
async function collect(
  request: Parameters<typeof purifyPictures>[0],
  host: Partial<PurifyHost> = {},
): Promise<{ results: PurifiedPicture[]; summary: Awaited<ReturnType<typeof purifyPictures>> }> {
  const results: PurifiedPicture[] = [];
  const summary = await purifyPictures(request, {
    pictures: streamOf(7),
    prior: gaussianPrior(1, HEIGHT, WIDTH),
    classifier: linearClassifier(4),
    sink: async (batch) => {
      results.push(...batch);
    },
    ...host,
  });
  return { results, summary };
}

describe("purifyPictures", () => {
  test("hands over every picture once, in order, with a valid row and summary", async () => {
    const { results, summary } = await collect({ method: "diffpure", seed: 3, batch: 2 });
    expect(results.map(({ row }) => row.name)).toEqual(["p0", "p1", "p2", "p3", "p4", "p5", "p6"]);
    for (const { row, input, output } of results) {
      purifyRow.parse(row);
      expect(row.scores?.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 5);
      expect(output.pixels).not.toEqual(input.pixels);
    }
    purifySummary.parse(summary);
    // Three votes of four steps for seven images; before, and three times after.
    expect(summary).toMatchObject({ count: 7, networkCalls: 84, classifierCalls: 28, threshold: null, flagged: null });
    expect(summary.options).toHaveLength(3);
  });

  test("does not depend on the batch, the company or the order", async () => {
    const request = { method: "diffpure", seed: 5 } as const;
    const whole = await collect({ ...request, batch: 64 });
    const single = await collect({ ...request, batch: 1 });
    const alone = await collect(request, { pictures: streamOf(1, () => pictureOf(4)) });
    expect(single.results.map(({ output }) => output)).toEqual(whole.results.map(({ output }) => output));
    expect(alone.results[0]?.output.pixels).toEqual(whole.results[4]?.output.pixels);
    const other = await collect({ ...request, seed: 6 });
    expect(other.results[0]?.output.pixels).not.toEqual(whole.results[0]?.output.pixels);
  });

  test("more votes are more purifications, averaged", async () => {
    const one = await collect({ method: "diffpure", preset: "fast", votes: 1 });
    const many = await collect({ method: "diffpure", preset: "fast", votes: 5 });
    expect(many.summary.networkCalls).toBe(5 * one.summary.networkCalls);
    expect(many.results[0]?.output.pixels).not.toEqual(one.results[0]?.output.pixels);
  });

  test("a calibrated threshold flags about the stated share of fresh clean pictures", async () => {
    const calibration = streamOf(200, (i) => pictureOf(1000 + i));
    const host = { calibration, pictures: streamOf(200) };
    const { summary, results } = await collect({ method: "zip-transform", fpr: 0.2 }, host);
    expect(summary).toMatchObject({ calibrationCount: 200, falsePositiveRate: 0.2 });
    expect(results.filter(({ row }) => row.flagged).length).toBe(summary.flagged);
    // 200 draws at 20 %: four standard deviations are 23.
    expect(Math.abs((summary.flagged ?? 0) - 40)).toBeLessThan(30);
  });

  test("too few clean pictures give no threshold rather than a wrong one", async () => {
    const { summary } = await collect({ method: "zip-transform", fpr: 0.01 }, { calibration: streamOf(20) });
    expect(summary).toMatchObject({ threshold: null, flagged: null, calibrationCount: 20 });
  });

  test("a calibration file counts only for its own settings and classifier", async () => {
    const classifier = linearClassifier(4);
    const { key } = await openPurifier("zip-transform", {}, { classifier });
    const entry = { key, method: "zip-transform", preset: "paper", images: "x", scores: Array(99).fill(0.5) };
    const file = (hash: string) => ({
      schema: "untrigger/calibration@1" as const,
      entries: [{ ...entry, classifier: hash }],
    });
    const run = (hash: string, options: Record<string, unknown>) =>
      collect({ method: "zip-transform", options }, { prior: undefined, classifier, calibrationFile: file(hash) });
    expect((await run(classifier.hash, {})).summary.threshold).toBe(0.5);
    expect((await run("other", {})).summary.threshold).toBeNull();
    expect((await run(classifier.hash, { scale: 1 })).summary.threshold).toBeNull();
  });

  test("without a classifier there are no labels, and suspicion is weak", async () => {
    const { results, summary } = await collect({ method: "diffpure", preset: "fast" }, { classifier: undefined });
    expect(summary).toMatchObject({ suspicion: "weak", changed: null, classifierHash: null });
    expect(results[0]?.row).toMatchObject({ label: null, scores: null, labelBefore: null });
    expect(results[0]?.row.suspicion).toBeGreaterThan(0);
  });

  test("hard labels are judged by the votes that change the label", async () => {
    const { results, summary } = await collect({ method: "diffpure" }, { classifier: linearClassifier(4, "labels") });
    expect(summary.suspicion).toBe("labels");
    for (const { row } of results) expect([0, 1, 2, 3]).toContain(Math.round(3 * row.suspicion));
  });

  test("evidence is one map a picture, in [0, 1]", async () => {
    const { results } = await collect({ method: "sampdetox", preset: "recommended" });
    for (const { evidence } of results) {
      expect(Object.keys(evidence)).toContain("difference");
      for (const { dims, data } of Object.values(evidence)) {
        expect(dims).toEqual([1, 1, HEIGHT, WIDTH]);
        expect(Math.min(...data)).toBeGreaterThanOrEqual(0);
        expect(Math.max(...data)).toBeLessThanOrEqual(1);
      }
    }
  });
});

describe("purifyPictures refuses", () => {
  test.each([
    [{ method: "difpure" }, 'Unknown purifier "difpure". Did you mean "diffpure"?'],
    [{ method: "diffpure", preset: "quick" }, 'Unknown preset of diffpure "quick".'],
    [{ method: "diffpure", options: { step: 3 } }, 'unknown option "step". Did you mean "steps"?'],
    [{ method: "diffpure", votes: 0 }, "votes: expected an integer from 1 to 64, got 0"],
    [{ method: "diffpure", fpr: 2 }, "fpr:"],
    [{ method: "diffpure", seed: -1 }, "seed:"],
  ])("%j", async (request, words) => {
    const failed = collect(request);
    await expect(failed).rejects.toThrow(OptionError);
    await expect(failed).rejects.toThrow(words);
  });

  test("a method that lacks what it needs", async () => {
    await expect(collect({ method: "diffpure" }, { prior: undefined })).rejects.toThrow("--prior DIR");
    await expect(collect({ method: "sancdifi" }, { classifier: undefined })).rejects.toThrow("--classifier");
  });

  test("pictures that do not fit, unless the user agrees to change them", async () => {
    const tall = { pictures: streamOf(1, () => pictureOf(0, 9)) };
    await expect(collect({ method: "diffpure" }, tall)).rejects.toThrow(
      new ShapeError("p0: expected 6 x 8 pixels, got 6 x 9. Resize it with --fit."),
    );
    const colour = () => ({ pictures: streamOf(1, () => pictureOf(0, 9, 3)) });
    await expect(collect({ method: "diffpure", fit: true }, colour())).rejects.toThrow("--channels 1");
    const { results } = await collect({ method: "diffpure", fit: true, channels: 1 }, colour());
    expect(results[0]?.output).toMatchObject({ channels: 1, height: HEIGHT, width: WIDTH });
  });

  test("to go on when cancelled, or when results cannot be stored", async () => {
    const abort = new AbortController();
    const cancelled = collect(
      { method: "diffpure", batch: 1 },
      {
        signal: abort.signal,
        progress: (_, done) => {
          if (done > 1.5) abort.abort();
        },
      },
    );
    await expect(cancelled).rejects.toThrow(/aborted/);
    let calls = 0;
    const full = collect(
      { method: "diffpure", batch: 1 },
      {
        sink: async () => {
          calls += 1;
          throw new OptionError("disk: expected room, got none.");
        },
      },
    );
    await expect(full).rejects.toThrow("disk: expected room");
    expect(calls).toBe(1);
  });
});
