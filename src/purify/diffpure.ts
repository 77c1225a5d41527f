/**
 * @file DiffPure: noise the image so far that a trigger drowns, then let the diffusion model walk back.
 *
 * | here     | paper                                     |
 * |----------|-------------------------------------------|
 * | t        | t* in steps; the paper's t* = 0.1 is 100 of 1000 |
 * | chain    | the reverse process, here discrete        |
 */
import { z } from "zod";
import { noised } from "../diffusion/forward.ts";
import { sigma01 } from "../diffusion/schedules.ts";
import type { RealTensor } from "../tensor/tensor.ts";
import { chainFrom, samplerOptions, walk } from "./chain.ts";
import { differenceMap } from "./evidence.ts";
import { toModelRange, toUnitRange } from "./model-range.ts";
import { checkImages, checkSteps, needPrior } from "./needs.ts";
import { definePurifier } from "./purifier.ts";
import { stagesOf } from "./stages.ts";

/** Four steps from t = 200 on the trailing grid: the cheapest setting that removed patches in our comparison. */
const fourSteps = { t: 200, sampler: "ddim", steps: 4, grid: "trail", clip: true } as const;

/** Ten steps from t = 300: heavier noise for triggers that survive 200. */
const tenSteps = { t: 300, sampler: "ddim", steps: 10, grid: "lin", clip: true } as const;

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
    steps: z.int().min(1).max(1000).default(4).describe("Network calls of ddim; ddpm makes t of them."),
    rounds: z
      .int()
      .min(1)
      .max(20)
      .default(1)
      .describe("How often to purify, each time from the last result (sample_step in the authors' code)."),
    ...samplerOptions,
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
    const { t, steps, rounds } = options;
    const prior = needPrior("diffpure", context);
    checkSteps("diffpure", "t", t, prior.schedule.alphasBar.length);
    const chain = chainFrom(prior, t, steps, options);
    return {
      sigma01: { first: sigma01(prior.schedule, t - 1) },
      async purify(images, run) {
        checkImages("diffpure", images.dims, prior.dims);
        const stages = stagesOf(run, rounds * chain.jumps.length);
        let x: RealTensor = toModelRange(images);
        for (let round = 1; round <= rounds; round++) {
          const stage = round === 1 ? "first" : `round${round}`;
          const start = noised(x, prior.schedule, t - 1, stages.start(stage, x));
          x = await walk(start, chain, stages.chain(stage, x, chain.jumps.length));
        }
        const purified = toUnitRange(x);
        return { images: purified, evidence: { difference: differenceMap(images, purified) } };
      },
    };
  },
});
