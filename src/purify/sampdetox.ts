/**
 * @file SampDetox: a light diffusion of the whole image breaks faint triggers; where it changed the image most, a
 * visible trigger must be, so a second diffusion noises each pixel by how little it resembles the input.
 *
 * | here       | paper and code                                              |
 * |------------|-------------------------------------------------------------|
 * | t1, t2     | T1, T2: steps of the light and the heavy diffusion          |
 * | light      | x0 bar, the result of the first stage                       |
 * | similarity | SSIM of input and light result, grey, stretched to [0, 1]   |
 * | levels     | t2(i, j) = floor((1 - similarity) T2)                       |
 */
import { z } from "zod";
import { noised } from "../diffusion/forward.ts";
import type { SampleRun } from "../diffusion/samplers/sampling.ts";
import type { NoiseSchedule } from "../diffusion/schedule.ts";
import { sigma01 } from "../diffusion/schedules.ts";
import { imageDims } from "../tensor/shape.ts";
import { arrayOf, float32, type RealTensor } from "../tensor/tensor.ts";
import { type Chain, chainFrom, samplerOptions, walk } from "./chain.ts";
import { differenceMap } from "./evidence.ts";
import { noisedByLevelInto, selectInto } from "./kernels.ts";
import { toModelRange, toUnitRange } from "./model-range.ts";
import { checkImages, checkSteps, needPrior } from "./needs.ts";
import { pixelLevels, similarityMap, snappedUp } from "./pixel-levels.ts";
import { definePurifier } from "./purifier.ts";
import { stagesOf } from "./stages.ts";

/**
 * Noise by pixel: sqrt(alphaBar) x + sqrt(1 - alphaBar) noise, alphaBar at the index that `levels` has for the pixel.
 * @param x [N, C, H, W] in model range. @param levels [N, 1, H, W], indices of the schedule.
 */
export function noisedByLevel<T extends RealTensor>(x: T, levels: Int32Array, schedule: NoiseSchedule, noise: T): T {
  const { c, h, w } = imageDims("sampdetox", x.dims);
  const data = new arrayOf[x.dtype](x.data.length);
  noisedByLevelInto(data, x.data, noise.data, {
    levels,
    scale: schedule.alphasBar.map(Math.sqrt),
    noiseScale: schedule.alphasBar.map((alphaBar) => Math.sqrt(1 - alphaBar)),
    channels: c,
    plane: h * w,
  });
  return { dtype: x.dtype, dims: x.dims, data } as T;
}

/**
 * The second stage's walk: the net sees the whole image at the chain's index, but a pixel takes the step only once the
 * chain has come down to its own level.
 * @param levels [N, 1, H, W]. @param joins `below`: a pixel takes the step from t where its level > t (the authors'
 *   code); `at`: where its level >= t.
 */
export function pixelwiseChain(
  x: RealTensor,
  levels: Int32Array,
  chain: Chain,
  { joins, run }: { readonly joins: "below" | "at"; readonly run: SampleRun },
): Promise<RealTensor> {
  const { c, h, w } = imageDims("sampdetox", x.dims);
  return walk(x, chain, run, {
    merge: (before, after, { from }) => {
      const data = new arrayOf[before.dtype](before.data.length);
      const threshold = joins === "below" ? from : from - 1;
      selectInto(data, after.data, before.data, { map: levels, threshold, channels: c, plane: h * w });
      return { dtype: before.dtype, dims: before.dims, data } as RealTensor;
    },
  });
}

/**
 * SampDetox as data.
 * @deviation noise is drawn for each image (and stage, unless shared): the authors' code draws one tensor a call.
 */
export const sampdetox = definePurifier({
  name: "sampdetox",
  summary: "Diffuses the whole image lightly, then heavily where that changed it most.",
  source:
    'Yang et al. 2024, "SampDetox: Black-box Backdoor Defense via Perturbation-based Sample Detoxification" (NeurIPS 2024); easywood0204/SampDetox',
  options: z.object({
    t1: z.int().min(1).max(100_000).default(20).describe("Noising steps of the light stage, on every pixel."),
    t2: z
      .int()
      .min(1)
      .max(100_000)
      .default(120)
      .describe("Noising steps of the heavy stage, on the least similar pixel."),
    steps1: z.int().min(1).max(1000).default(4).describe("Network calls of ddim in the light stage; ddpm makes t1."),
    steps2: z.int().min(1).max(1000).default(8).describe("Network calls of ddim in the heavy stage; ddpm makes t2."),
    dataRange: z
      .number()
      .gt(0)
      .max(1e6)
      .default(255)
      .describe(
        "Data range of the SSIM on images in [0, 1]: 255 as in the authors' code, 1 for true structural similarity.",
      ),
    grey: z
      .enum(["rgb", "bgr"])
      .default("rgb")
      .describe("Order of the grey weights .30, .59, .11; the authors' code has them in BGR order on RGB images."),
    sharedNoise: z.boolean().default(false).describe("The heavy stage starts from the noise of the light one."),
    snap: z
      .boolean()
      .default(false)
      .describe("Raises levels to visited indices, so that a pixel joins exactly at its level; else one step below."),
    ...samplerOptions,
  }),
  presets: {
    paper: [{}],
    official: [{ t1: 120, grey: "bgr", sharedNoise: true, variance: "fixed-large" }],
    recommended: [{ t1: 150, t2: 400, sampler: "ddim", grid: "lin", clip: true, snap: true }],
  },
  needs: { prior: true, classifier: false },
  async create(options, assets) {
    const { t1, t2, snap, sharedNoise } = options;
    const prior = needPrior("sampdetox", assets);
    const { schedule } = prior;
    const total = schedule.alphasBar.length;
    checkSteps("sampdetox", "t1", t1, total);
    checkSteps("sampdetox", "t2", t2, total);
    const lightChain = chainFrom(prior, t1, options.steps1, options);
    const heavyChain = chainFrom(prior, t2, options.steps2, options);
    const visited = heavyChain.jumps.map(({ from }) => from);
    // Without snapping, as in the authors' code, the noise is one index above the first step.
    const index1 = snap ? t1 - 1 : Math.min(t1, total - 1);
    const index2 = snap ? t2 - 1 : Math.min(t2, total - 1);
    return {
      sigma01: { first: sigma01(schedule, index1), second: sigma01(schedule, index2) },
      async purify(images, run) {
        checkImages("sampdetox", images.dims, prior.dims);
        const stages = stagesOf(run, lightChain.jumps.length + heavyChain.jumps.length);
        const x = toModelRange(images);
        const noise = stages.start("first", x);
        const faint = noised(x, schedule, index1, noise);
        const light = toUnitRange(await walk(faint, lightChain, stages.chain("first", x, lightChain.jumps.length)));
        const { similarity } = similarityMap(images, light, options);
        const raw = pixelLevels(similarity, t2);
        const levels = snap ? snappedUp(raw, visited) : raw.map((level) => Math.min(level, index2));
        const again = sharedNoise ? noise : stages.start("second", x);
        const heavy = noisedByLevel(toModelRange(light), levels, schedule, again);
        const run2 = stages.chain("second", x, heavyChain.jumps.length);
        const joins = snap ? "at" : "below";
        const purified = toUnitRange(await pixelwiseChain(heavy, levels, heavyChain, { joins, run: run2 }));
        return {
          images: purified,
          evidence: {
            difference: differenceMap(images, purified),
            similarity: float32(similarity.dims, Float32Array.from(similarity.data)),
            level: float32(
              similarity.dims,
              Float32Array.from(levels, (level) => level / t2),
            ),
          },
        };
      },
    };
  },
});
