/**
 * @file DiffPure: noise the image so far that a trigger drowns, then let the diffusion model walk back.
 *
 * | here    | paper                                            |
 * |---------|--------------------------------------------------|
 * | t       | t* in steps: the paper's t* = 0.1 is 100 of 1000 |
 * | denoise | the reverse process, here a discrete sampler     |
 */
import { z } from "zod";
import { noised } from "../diffusion/forward.ts";
import { noiseLike } from "../diffusion/noise.ts";
import { openSampler, type SamplerName } from "../diffusion/samplers/registry.ts";
import { sigma01 } from "../diffusion/schedules.ts";
import type { RealTensor } from "../tensor/tensor.ts";
import { type SamplerOptions, samplerOptions } from "./chain.ts";
import { differenceMap } from "./evidence.ts";
import { toModelRange, toUnitRange } from "./model-range.ts";
import { checkImages, checkSteps, needPrior } from "./needs.ts";
import { definePurifier } from "./purifier.ts";

/** Four steps from t = 200 on the trailing grid: the cheapest setting that removed patches in our comparison. */
const fourSteps = { t: 200, sampler: "ddim", steps: 4, grid: "trail", clip: true } as const;

/** Ten steps from t = 300: heavier noise for triggers that survive 200. */
const tenSteps = { t: 300, sampler: "ddim", steps: 10, grid: "lin", clip: true } as const;

/** Sampler and what it may be told; each takes what concerns it. */
interface SamplerChoice extends Omit<SamplerOptions, "sampler"> {
  readonly sampler: SamplerName;
  readonly steps: number;
}

/** The sampler that the options describe. */
function denoiserOf(options: SamplerChoice): ReturnType<typeof openSampler> {
  const { sampler, steps, grid, eta, variance } = options;
  const clip = options.clip ? 1 : 0;
  switch (sampler) {
    case "ddpm":
      return openSampler(sampler, { variance, clip });
    case "ddim":
      return openSampler(sampler, { steps, grid, eta, clip });
    default:
      return openSampler(sampler, { steps, clip });
  }
}

/**
 * DiffPure as data.
 * @deviation the paper solves the reverse SDE; `paper` takes DDPM steps instead, which is what the authors' discrete
 * runner does. `official` is that code's guided runner: clipped, with the net's learned variance where it has one.
 */
export const diffpure = definePurifier({
  name: "diffpure",
  summary: "Adds noise to the whole image up to step t and lets the diffusion model denoise it.",
  source:
    'Nie et al. 2022, "Diffusion Models for Adversarial Purification", section 3, https://arxiv.org/abs/2205.07460; NVlabs/DiffPure, runners/diffpure_ddpm.py and diffpure_guided.py',
  options: z.object({
    t: z
      .int()
      .min(1)
      .max(100_000)
      .default(100)
      .describe("Noising steps, 1..T of the prior; sigma01 says how much noise that is."),
    rounds: z
      .int()
      .min(1)
      .max(20)
      .default(1)
      .describe("How often to purify, each time from the last result (sample_step in the authors' code)."),
    ...samplerOptions,
    sampler: z
      .enum(["ddpm", "ddim", "dpm-solver-multistep", "dpm-solver-singlestep"])
      .default("ddpm")
      .describe(
        "How to walk back: every index with fresh noise (ddpm, as published), or a few steps of a faster sampler.",
      ),
    steps: z
      .int()
      .min(1)
      .max(1000)
      .default(4)
      .describe("Network calls of all samplers but ddpm, which makes t of them."),
  }),
  presets: {
    paper: [{ t: 100 }],
    official: [{ t: 150, clip: true }],
    fast: [fourSteps],
    recommended: [fourSteps, fourSteps, fourSteps],
    strong: [fourSteps, fourSteps, tenSteps],
  },
  needs: { prior: true, classifier: false },
  async create(options, context) {
    const { t, rounds } = options;
    const prior = needPrior("diffpure", context);
    checkSteps("diffpure", "t", t, prior.schedule.alphasBar.length);
    const denoise = denoiserOf(options);
    return {
      sigma01: { first: sigma01(prior.schedule, t - 1) },
      async purify(images, run) {
        checkImages("diffpure", images.dims, prior.dims);
        let x: RealTensor = toModelRange(images);
        for (let round = 0; round < rounds; round++) {
          const stage = round === 0 ? "first" : `round${round + 1}`;
          const start = noised(x, prior.schedule, t - 1, noiseLike(run, `${stage}/start`, x)(0));
          x = await denoise(prior, start, {
            start: t - 1,
            noise: noiseLike(run, stage, x),
            signal: run.signal,
            progress: (done, total) => run.progress?.(round * total + done, rounds * total),
          });
        }
        const purified = toUnitRange(x);
        return { images: purified, evidence: { difference: differenceMap(images, purified) } };
      },
    };
  },
});
