/**
 * @file Sancdifi: find the pixels that a black box leans on (RISE), diffuse them heavily while the rest stays as it is,
 * then diffuse the rest lightly.
 *
 * | here            | paper (algorithm 1)                                |
 * |-----------------|----------------------------------------------------|
 * | classes         | r                                                  |
 * | saliency        | S_c, one map for each of the top r classes         |
 * | percentile      | d                                                  |
 * | kept            | A: 1 protects a pixel, 0 on the most salient ones  |
 * | t1, t2          | T_1, T_2                                           |
 * | conditionedPass | the loop over t: y = A x + (1 - A) z               |
 */
import { z } from "zod";
import type { Classifier } from "../classifiers/classifier.ts";
import { toProbabilities } from "../classifiers/probability.ts";
import { noised } from "../diffusion/forward.ts";
import type { Prior } from "../diffusion/prior.ts";
import { respace, spaceTimesteps } from "../diffusion/respacing.ts";
import type { SampleRun } from "../diffusion/samplers/sampling.ts";
import { sigma01 } from "../diffusion/schedules.ts";
import { affine } from "../tensor/arithmetic.ts";
import { imageDims } from "../tensor/shape.ts";
import { arrayOf, type Float32Tensor, type RealTensor } from "../tensor/tensor.ts";
import { type Chain, chainFrom, clipOption, samplerOptions, walk } from "./chain.ts";
import { compositeMask, firstMaps, topClasses } from "./composite-mask.ts";
import { differenceMap, stretched } from "./evidence.ts";
import { selectInto } from "./kernels.ts";
import { toModelRange, toUnitRange } from "./model-range.ts";
import { checkImages, checkSteps, needClassifier, needPrior } from "./needs.ts";
import { definePurifier } from "./purifier.ts";
import { type RiseRun, riseSaliency } from "./rise.ts";
import { stagesOf } from "./stages.ts";

/**
 * One conditioned diffusion: the other pixels are noised and walked back while the kept ones stay clean all along. The
 * net so sees two noise levels at once; unlike RePaint, the paper does not noise the kept pixels.
 * @param x model range. @param kept [N, 1, H, W], 1 for pixels that stay. @param start N(0, 1) of x's dims.
 */
export function conditionedPass(
  x: RealTensor,
  kept: Float32Tensor,
  chain: Chain,
  { start, run }: { readonly start: RealTensor; readonly run: SampleRun },
): Promise<RealTensor> {
  const noisy = noised(x, chain.schedule, chain.jumps[0]?.from ?? 0, start);
  return walk(select(kept, x, noisy), chain, run, { merge: (before, after) => select(kept, before, after) });
}

/** `kept ? a : b` for every pixel, the same in all channels. */
function select(kept: Float32Tensor, a: RealTensor, b: RealTensor): RealTensor {
  const { c, h, w } = imageDims("sancdifi", a.dims);
  const data = new arrayOf[a.dtype](a.data.length);
  selectInto(data, a.data, b.data, { map: kept.data, threshold: 0.5, channels: c, plane: h * w });
  return { dtype: a.dtype, dims: a.dims, data } as RealTensor;
}

/**
 * Sancdifi as data.
 * @deviation the second pass starts from the result of the first: as printed it would restart from the input and keep
 *   the trigger. The paper does not state the cells and the share of RISE; 8 and .5 are RISE's own for 2000 masks.
 *   Hidden pixels take the image's mean colour, because that of a black box's training data is unknown. Longer chains
 *   are respaced to 1000 steps, of which t1 and t2 are counted. Predicted clean images are clamped, as the code that the
 *   paper's models come from does.
 */
export const sancdifi = definePurifier({
  name: "sancdifi",
  summary: "Diffuses the pixels that the classifier leans on heavily, then the others lightly.",
  source:
    'May et al. 2023, "Salient Conditional Diffusion for Defending Against Backdoor Attacks", algorithm 1, https://arxiv.org/abs/2301.13862',
  options: z.object({
    t1: z.int().min(1).max(100_000).default(300).describe("Noising steps of the first pass, on the salient pixels."),
    t2: z.int().min(1).max(100_000).default(100).describe("Noising steps of the second pass, on the other pixels."),
    respace: z
      .int()
      .min(1)
      .max(100_000)
      .default(1000)
      .describe("Steps that a longer chain is first respaced to; t1 and t2 count these."),
    steps1: z.int().min(1).max(1000).default(6).describe("Network calls of ddim in the first pass; ddpm makes t1."),
    steps2: z.int().min(1).max(1000).default(3).describe("Network calls of ddim in the second pass; ddpm makes t2."),
    classes: z
      .int()
      .min(1)
      .max(1000)
      .default(5)
      .describe("How many of the highest-scoring classes are explained (r); 1 where only labels are known."),
    percentile: z
      .number()
      .min(0)
      .max(100)
      .default(95)
      .describe("Pixels above this percentile of a class's saliency are salient (d)."),
    masks: z.int().min(1).max(100_000).default(2000).describe("Queries that an image's saliency costs (N)."),
    cells: z.int().min(1).max(64).default(8).describe("Cells along each axis of a RISE mask (s)."),
    keep: z.number().gt(0).lt(1).default(0.5).describe("Probability that a cell of a RISE mask is kept (p)."),
    fill: z
      .enum(["mean", "black"])
      .default("mean")
      .describe("What hides a pixel from the classifier: the image's mean colour, or black."),
    ...samplerOptions,
    clip: clipOption(true),
  }),
  presets: {
    paper: [{}],
    recommended: [{ sampler: "ddim", grid: "lin", masks: 200, cells: 7, fill: "black" }],
  },
  needs: { prior: true, classifier: true },
  async create(options, assets) {
    const { t1, t2, steps1, steps2 } = options;
    const given = needPrior("sancdifi", assets);
    const classifier = needClassifier("sancdifi", assets);
    const prior = respacedTo(given, options.respace);
    checkSteps("sancdifi", "t1", t1, prior.schedule.alphasBar.length);
    checkSteps("sancdifi", "t2", t2, prior.schedule.alphasBar.length);
    const first = chainFrom(prior, t1, steps1, options);
    const second = chainFrom(prior, t2, steps2, options);
    return {
      sigma01: { first: sigma01(prior.schedule, t1 - 1), second: sigma01(prior.schedule, t2 - 1) },
      async purify(images, run) {
        const { n } = checkImages("sancdifi", images.dims, given.dims);
        // One image's queries take about as long as one step of all images.
        const stages = stagesOf(run, n + first.jumps.length + second.jumps.length);
        const onQueries = (queries: number) => stages.report(queries / options.masks);
        const saliency = await saliencyOf(images, classifier, { ...options, run, onQueries });
        const kept = compositeMask(saliency, options.percentile);
        const salient = affine(kept, -1, 1);
        let x: RealTensor = toModelRange(images);
        for (const [name, mask, chain] of [["first", kept, first] as const, ["second", salient, second] as const]) {
          const start = stages.start(name, x);
          x = await conditionedPass(x, mask, chain, { start, run: stages.chain(name, x, chain.jumps.length) });
        }
        const purified = toUnitRange(x);
        const difference = differenceMap(images, purified);
        return {
          images: purified,
          evidence: { difference, mask: salient, saliency: stretched(firstMaps(saliency), 0) },
        };
      },
    };
  },
});

/** The prior over at most so many steps. */
function respacedTo(prior: Prior, steps: number): Pick<Prior, "predict" | "schedule" | "variance"> {
  const total = prior.schedule.alphasBar.length;
  if (total <= steps) return prior;
  return { ...prior, schedule: respace(prior.schedule, spaceTimesteps(total, String(steps))) };
}

/** Saliency of the top classes of every image, [N, r, H, W]. */
async function saliencyOf(
  images: Float32Tensor,
  classifier: Classifier,
  options: RiseRun & { readonly classes: number },
): Promise<RealTensor> {
  const answer = await classifier.classify(images, options.run.signal);
  // Labels say nothing about classes that did not win.
  const r = answer.kind === "labels" ? 1 : options.classes;
  return riseSaliency(images, topClasses(toProbabilities(answer), r), classifier, options);
}
