/**
 * @file ZIP: erase the trigger with a lossy linear map, then let an unconditional diffusion model make the image anew
 * from pure noise, guided by what the map still shows.
 *
 * | here        | paper                                                        |
 * |-------------|--------------------------------------------------------------|
 * | operator    | A with pseudo-inverse A+                                      |
 * | observed    | A+ x_A = A+ A x, the visible part of the poisoned image       |
 * | index i     | t = i + 1                                                    |
 * | guidedState | x hat_t, equation 11                                          |
 * | lambda      | T' = lambda T: guidance ends where t <= T'                    |
 */
import { z } from "zod";
import { OptionError, ShapeError } from "../core/errors.ts";
import type { Jump } from "../diffusion/posterior.ts";
import type { Prior } from "../diffusion/prior.ts";
import { everyIndex, jumpsOver, spacedIndices } from "../diffusion/samplers/grids.ts";
import type { SampleRun } from "../diffusion/samplers/sampling.ts";
import { alphaBarAt, sigma01 } from "../diffusion/schedules.ts";
import { combine } from "../tensor/arithmetic.ts";
import { imageDims } from "../tensor/shape.ts";
import type { Float32Tensor, RealTensor } from "../tensor/tensor.ts";
import { type Chain, chainOver, clipOption, walk } from "./chain.ts";
import { differenceMap } from "./evidence.ts";
import { toModelRange, toUnitRange } from "./model-range.ts";
import { fromMosaics, type MosaicGrid, toMosaics } from "./mosaic.ts";
import { checkImages, checkSteps, needPrior } from "./needs.ts";
import { definePurifier } from "./purifier.ts";
import { stagesOf } from "./stages.ts";
import { grayOperator, type LinearOperator, poolOperator, rangeOf } from "./zip-operators.ts";

/** What one operator shows of the input. */
export interface Observation {
  readonly operator: LinearOperator;
  /** A+ A x of the input, model range. */
  readonly observed: RealTensor;
}

/** When guidance ends: `hard` after t <= lambda T, `soft` by the weight alphaBar^q of the unguided state. */
export type HandOver =
  | { readonly kind: "hard"; readonly lambda: number }
  | { readonly kind: "soft"; readonly q: number };

/**
 * Equation 11, averaged over the operators: the visible part of x_t is replaced by the observed one, as noisy as x_t
 * should be: `sqrt(alphaBar) A+ A x + (I - A+ A) x_t + sqrt(1 - alphaBar) A+ A noise`.
 * @param weight of the unguided x_t in the result, 0..1.
 * @source Shi et al. 2023, equation 11; sycny/ZIP, guided_diffusion/diffusion.py (average of two operators, weight).
 */
export function guidedState<T extends RealTensor>(
  x: T,
  noise: T,
  observations: readonly Observation[],
  { alphaBar, weight }: { readonly alphaBar: number; readonly weight: number },
): T {
  const share = (1 - weight) / observations.length;
  // A+ A is linear: one projection of the clean part serves both terms that leave x_t.
  const clean = combine<RealTensor>([1, x], [-Math.sqrt(1 - alphaBar), noise]);
  return combine<RealTensor>(
    [1, x],
    ...observations.flatMap(({ operator, observed }) => [
      [share * Math.sqrt(alphaBar), observed] as const,
      [-share, rangeOf(operator, clean)] as const,
    ]),
  ) as T;
}

/** The weight of the unguided state at an index: 0 or 1 for a hard hand-over. */
export function handOverWeight(
  handOver: HandOver,
  index: number,
  { alphaBar, total }: { readonly alphaBar: number; readonly total: number },
): number {
  if (handOver.kind === "soft") return alphaBar ** handOver.q;
  return index + 1 > handOver.lambda * total ? 0 : 1;
}

/**
 * Algorithms 1 (a ddpm chain) and 2 (a ddim chain with a pace).
 * @param start pure noise at the chain's first index. @returns the state after the last jump, model range.
 */
export function zeroShotChain(
  start: RealTensor,
  observations: readonly Observation[],
  chain: Chain,
  { handOver, run }: { readonly handOver: HandOver; readonly run: SampleRun },
): Promise<RealTensor> {
  const total = chain.schedule.alphasBar.length;
  return walk(start, chain, run, {
    guide: (x, { noise }, { from }) => {
      const alphaBar = alphaBarAt(chain.schedule, from);
      const weight = handOverWeight(handOver, from, { alphaBar, total });
      return weight === 1 ? x : guidedState(x, noise, observations, { alphaBar, weight });
    },
  });
}

/**
 * ZIP as data.
 * @deviation lambda has no value in the paper: .3 is ours. Gray shows a 1-channel image whole and erases nothing of it,
 * so it is left out there.
 */
export const zip = definePurifier({
  name: "zip",
  summary: "Keeps only coarse colour or brightness of the image and lets the diffusion model make the rest anew.",
  source:
    'Shi et al. 2023, "Black-box Backdoor Defense via Zero-shot Image Purification", algorithms 1 and 2, https://arxiv.org/abs/2303.12175; sycny/ZIP',
  options: z.object({
    sampler: z.enum(["ddpm", "ddim"]).default("ddim").describe("ddpm: algorithm 1, every index; ddim: algorithm 2."),
    steps: z.int().min(1).max(1000).default(20).describe("Network calls of ddim; ddpm makes T of them."),
    grid: z
      .enum(["leading", "trailing", "linspace"])
      .default("trailing")
      .describe("Indices of ddim: 950, 900 … 0 (leading), 999, 949 … 49 (trailing) or 999 … 0 (linspace) of 1000."),
    eta: z.number().min(0).max(1).default(1).describe("Share of fresh noise in a ddim step."),
    clip: clipOption(false),
    operators: z
      .array(z.enum(["gray", "pool"]))
      .min(1)
      .max(2)
      .default(["pool"])
      .describe("What is kept of the image: the mean of the channels, means over blocks, or both averaged."),
    scale: z.int().min(1).max(64).default(2).describe("Side of the blocks of pool, in pixels."),
    handOver: z
      .enum(["hard", "soft"])
      .default("hard")
      .describe("How guidance ends: at lambda, or fading with alphaBar^q."),
    lambda: z
      .number()
      .min(0)
      .max(1)
      .default(0.3)
      .describe("Share of the chain, at its clean end, without guidance (hard)."),
    q: z
      .number()
      .min(0)
      .max(1000)
      .default(0.98)
      .describe("Exponent of the fading; larger keeps guidance longer (soft)."),
    tile: z
      .boolean()
      .default(false)
      .describe("Puts small images side by side on a larger prior. Cheap, but neighbours then influence each other."),
  }),
  presets: {
    paper: [{}],
    official: [{ grid: "leading", operators: ["gray", "pool"], handOver: "soft" }],
    recommended: [{ grid: "linspace", eta: 0.85, clip: true }],
  },
  needs: { prior: true, classifier: false },
  async create(options, assets) {
    const prior = needPrior("zip", assets);
    const { sampler, steps, grid, scale, tile, lambda, q } = options;
    const total = prior.schedule.alphasBar.length;
    checkSteps("zip", "steps", steps, total);
    const operators = operatorsFor(options.operators, scale, prior.dims.channels);
    const handOver: HandOver = options.handOver === "hard" ? { kind: "hard", lambda } : { kind: "soft", q };
    const indices = sampler === "ddpm" ? everyIndex(total - 1) : spacedIndices(total, steps, grid);
    const jumps: Jump[] = jumpsOver(indices);
    // Where x0 is clipped, the predicted noise stays as it is: derived anew, it would take up the guidance.
    const chain = chainOver(prior, jumps, { ...options, variance: "fixed-small", noiseAfterClip: "keep" });
    const first = indices[0] ?? 0;
    return {
      sigma01: { start: sigma01(prior.schedule, first) },
      async purify(images, context) {
        const layout = layoutOf(images.dims, prior.dims, tile);
        const onPrior = (x: Float32Tensor) => (layout === undefined ? x : toMosaics(x, layout));
        const stages = stagesOf(context, jumps.length);
        const stage = stages.chain("chain", images, jumps.length);
        const x = onPrior(toModelRange(images));
        const observations = operators.map((operator) => ({ operator, observed: rangeOf(operator, x) }));
        const start = onPrior(stages.start("chain", images));
        const run = { ...stage, noise: (step: number) => onPrior(stage.noise(step)) };
        const clean = toUnitRange(await zeroShotChain(start, observations, chain, { handOver, run }));
        const purified = layout === undefined ? clean : fromMosaics(clean, images.dims, layout);
        return { images: purified, evidence: { difference: differenceMap(images, purified) } };
      },
    };
  },
});

/** The operators by name; gray is the identity on one channel and is left out there. */
function operatorsFor(names: readonly ("gray" | "pool")[], scale: number, channels: number): LinearOperator[] {
  const useful = [...new Set(names)].filter((name) => name === "pool" || channels > 1);
  if (useful.length === 0) {
    throw new OptionError(
      'zip: option "operators": expected pool among them because gray erases nothing of a 1-channel image, got gray.',
    );
  }
  return useful.map((name) => (name === "gray" ? grayOperator : poolOperator(scale)));
}

/** How the images lie on the prior: one each, or in tiles that fill it. */
function layoutOf(dims: readonly number[], prior: Prior["dims"], tile: boolean): MosaicGrid | undefined {
  if (!tile) {
    checkImages("zip", dims, prior);
    return undefined;
  }
  const { c, h, w } = imageDims("zip", dims);
  if (c !== prior.channels || prior.height % h !== 0 || prior.width % w !== 0) {
    throw new ShapeError(
      `zip: expected tiles of ${prior.channels} channels whose sides divide the prior's ${prior.height}x${prior.width}, got ${c}x${h}x${w}. Resize them with --fit or leave out tile.`,
    );
  }
  return { rows: prior.height / h, columns: prior.width / w };
}
