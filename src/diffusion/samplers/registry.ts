/** @file The samplers by name, as data: from it come a purifier's `sampler` option, the command line's help and the contract tests. */
import { z } from "zod";
import { parseOptions } from "../../core/descriptor.ts";
import { OptionError } from "../../core/errors.ts";
import { lookUp } from "../../core/names.ts";
import type { RealTensor } from "../../tensor/tensor.ts";
import type { Prior } from "../prior.ts";
import type { NoiseSchedule } from "../schedule.ts";
import { ddim } from "./ddim.ts";
import { ddpm } from "./ddpm.ts";
import { dpmSolverMultistep } from "./dpm-solver-multistep.ts";
import { dpmSolverSinglestep } from "./dpm-solver-singlestep.ts";
import { everyIndex, jumpsOver, linGrid, trailGrid } from "./grids.ts";
import type { SampleRun } from "./sampling.ts";
import { indexGrid, karrasGrid, lambdaGrid, type SolverGrid } from "./solver-grids.ts";

/** What a sampler needs of a prior. */
export type SampledPrior = Pick<Prior, "predict" | "schedule" | "variance">;

/** From where, how, and what rides along. */
export interface DenoiseRequest<Options> extends SampleRun {
  /** Index that x is at, 0..T-1. */
  readonly start: number;
  /** As parsed by the descriptor's schema. */
  readonly options: Options;
}

/** A sampler as data. */
export interface SamplerDescriptor<Options extends z.ZodObject = z.ZodObject> {
  /** kebab-case, the name of its file. */
  readonly name: string;
  /** One sentence. */
  readonly summary: string;
  /** The paper. */
  readonly source: string;
  /** Every option with a default, a range and a description. */
  readonly options: Options;
  /**
   * Brings x from index `start` to a clean image.
   * @param x [N, C, H, W] in model range; not modified.
   * @throws OptionError when the start is outside the schedule or noise is missing; the signal's reason when aborted.
   */
  denoise(prior: SampledPrior, x: RealTensor, request: DenoiseRequest<z.output<Options>>): Promise<RealTensor>;
}

const steps = z.int().min(1).max(1000).default(10).describe("calls of the network, at most one for each index");
const clip = z.number().min(0).default(1).describe("range of the predicted clean image, 0 for none");
const solverGrids = ["lambda", "trail", "lin", "karras"] as const;
const solverGrid = z
  .enum(solverGrids)
  .default("lambda")
  .describe("spacing of points: even in log-SNR (lambda), in indices (trail, lin) or in noise^(1/7) (karras)");
const order = z
  .union([z.literal(1), z.literal(2), z.literal(3)])
  .default(2)
  .describe("order of the solver");

/** Lets TypeScript infer the options. */
function defineSampler<Options extends z.ZodObject>(sampler: SamplerDescriptor<Options>): SamplerDescriptor<Options> {
  return sampler;
}

const ddpmSampler = defineSampler({
  name: "ddpm",
  summary: "Ancestral sampling: the chain the prior was trained on, one call for each index unless told otherwise.",
  source: "Ho et al. 2020, Denoising Diffusion Probabilistic Models. https://arxiv.org/abs/2006.11239",
  options: z.object({
    steps: z.int().min(0).max(100_000).default(0).describe("calls of the network, 0 for one at each index"),
    variance: z
      .enum(["prior", "fixed-small", "fixed-large", "learned-range"])
      .default("prior")
      .describe("variance of the reverse step; prior: as its authors sample it"),
    clip,
  }),
  denoise({ predict, schedule, variance: own }, x, { start, options, ...run }) {
    checkStart(schedule, start);
    return ddpm(predict, x, schedule, {
      jumps: jumpsOver(options.steps === 0 ? everyIndex(start) : linGrid(start, options.steps)),
      variance: options.variance === "prior" ? own : options.variance,
      clip: options.clip || undefined,
      ...run,
    });
  },
});

const ddimSampler = defineSampler({
  name: "ddim",
  summary: "Jumps over indices, deterministic with eta 0.",
  source: "Song et al. 2021, Denoising Diffusion Implicit Models. https://arxiv.org/abs/2010.02502",
  options: z.object({
    steps,
    grid: z
      .enum(["trail", "lin"])
      .default("trail")
      .describe("evenly spaced indices; trail spends no call on index 0, lin ends there"),
    eta: z.number().min(0).max(1).default(0).describe("share of fresh noise; 1 is as random as ddpm"),
    clip,
  }),
  denoise({ predict, schedule }, x, { start, options, ...run }) {
    checkStart(schedule, start);
    const indices = options.grid === "trail" ? trailGrid(start, options.steps) : linGrid(start, options.steps);
    return ddim(predict, x, schedule, {
      jumps: jumpsOver(indices),
      eta: options.eta,
      clip: options.clip || undefined,
      ...run,
    });
  },
});

const multistepSampler = defineSampler({
  name: "dpm-solver-multistep",
  summary: "High-order solver that reuses earlier calls: DPM-Solver, DPM-Solver++ 2M and 3M, and their SDE form.",
  source: "Lu et al. 2022, DPM-Solver++. https://arxiv.org/abs/2211.01095",
  options: z.object({
    steps,
    order,
    algorithm: z
      .enum(["dpmsolver", "dpmsolver++", "sde-dpmsolver++"])
      .default("dpmsolver++")
      .describe("integrates the noise or (++) the clean image; sde adds fresh noise"),
    form: z.enum(["midpoint", "heun"]).default("midpoint").describe("how the second-order term is weighted"),
    grid: solverGrid,
    clip,
  }),
  denoise({ predict, schedule }, x, { start, options, ...run }) {
    const grid = gridFrom(schedule, start, options);
    return dpmSolverMultistep(predict, x, { ...options, clip: options.clip || undefined, grid, ...run });
  },
});

const singlestepSampler = defineSampler({
  name: "dpm-solver-singlestep",
  summary: "High-order solver in groups of as many calls as its order: DPM-Solver-1, -2, -3 and their ++ form.",
  source: "Lu et al. 2022, DPM-Solver. https://arxiv.org/abs/2206.00927",
  options: z.object({
    steps,
    order,
    algorithm: z
      .enum(["dpmsolver", "dpmsolver++"])
      .default("dpmsolver++")
      .describe("integrates the noise or (++) the clean image"),
    form: z.enum(["midpoint", "heun", "paper"]).default("paper").describe("how finite differences are weighted"),
    grid: solverGrid,
    clip,
  }),
  denoise({ predict, schedule }, x, { start, options, ...run }) {
    const grid = gridFrom(schedule, start, options);
    return dpmSolverSinglestep(predict, x, { ...options, clip: options.clip || undefined, grid, ...run });
  },
});

/** All samplers by name. */
export const samplers = {
  ddpm: ddpmSampler,
  ddim: ddimSampler,
  "dpm-solver-multistep": multistepSampler,
  "dpm-solver-singlestep": singlestepSampler,
} as const satisfies Record<string, { name: string }>;

/** Name of a sampler. */
export type SamplerName = keyof typeof samplers;

/**
 * A sampler by name with its options checked: a function from (prior, x, { start, noise, … }) to a clean image.
 * @param raw options as the user gave them.
 * @throws OptionError when the name or an option is unknown or out of range.
 */
export function openSampler(
  name: string,
  raw: Readonly<Record<string, unknown>> = {},
): (prior: SampledPrior, x: RealTensor, request: Omit<DenoiseRequest<never>, "options">) => Promise<RealTensor> {
  const sampler: SamplerDescriptor = lookUp("sampler", name, samplers);
  const options = parseOptions(sampler, raw);
  return (prior, x, request) => sampler.denoise(prior, x, { ...request, options });
}

function gridFrom(
  schedule: NoiseSchedule,
  start: number,
  { grid, steps }: { readonly grid: (typeof solverGrids)[number]; readonly steps: number },
): SolverGrid {
  checkStart(schedule, start);
  if (grid === "lambda") return lambdaGrid(schedule, { start, end: "zero", steps });
  if (grid === "karras") return karrasGrid(schedule, { start, steps });
  return indexGrid(schedule, grid === "trail" ? trailGrid(start, steps) : linGrid(start, steps), "zero");
}

function checkStart(schedule: NoiseSchedule, start: number): void {
  const last = schedule.betas.length - 1;
  if (!Number.isInteger(start) || start < 0 || start > last) {
    throw new OptionError(`start: expected an index from 0 to ${last} of this schedule, got ${start}.`);
  }
}
