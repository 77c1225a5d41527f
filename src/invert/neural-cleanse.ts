/**
 * @file Neural Cleanse: for each class the smallest mask with a pattern that moves all images to it. The backdoor's class
 * needs a much smaller one than the others, as far as its trigger is small and universal.
 *
 * | here     | paper and code                     |
 * |----------|------------------------------------|
 * | mask     | m                                  |
 * | pattern  | Delta                              |
 * | cost     | lambda                             |
 */
import { z } from "zod";
import { uniformFromNoise } from "../core/noise.ts";
import { takeRows } from "../tensor/rows.ts";
import { elementCount } from "../tensor/shape.ts";
import { float32 } from "../tensor/tensor.ts";
import { adam } from "../training/optimisers.ts";
import { type ClassSearch, classByClass } from "./class-by-class.ts";
import { type CostSettings, startCost } from "./cost-schedule.ts";
import { drawRows } from "./draw.ts";
import { defineInverter, type InversionRun } from "./inverter.ts";
import { needGradients, rowsBeside } from "./needs.ts";
import { maskNorm, type Patch, patchAnswer, patchOf, variableGradient } from "./patch.ts";
import type { Found } from "./trigger.ts";

const options = z.object({
  images: z
    .int()
    .min(1)
    .max(100_000)
    .default(80)
    .describe("How many of the given images it learns from: the first that do not show the class."),
  steps: z.int().min(1).max(100_000).default(60).describe("Steps at most; the cost may change after each."),
  minibatches: z.int().min(1).max(100_000).default(5).describe("Updates of a step."),
  batch: z.int().min(1).max(1000).default(16).describe("Images of an update."),
  rate: z.number().gt(0).max(10).default(0.1).describe("Learning rate of Adam (betas .5 and .9)."),
  cost: z.number().min(0).max(1e6).default(1e-3).describe("Cost of the mask's norm when it begins to count."),
  begin: z.enum(["zero", "cost"]).default("cost").describe("Whether the cost begins at zero, until the trigger works."),
  factor: z
    .number()
    .gt(1)
    .max(100)
    .default(2)
    .describe("By how much the cost rises; it falls by the power 1.5 of that."),
  patience: z.int().min(1).max(1000).default(5).describe("Steps in a row before the cost changes."),
  threshold: z.number().gt(0).max(1).default(0.99).describe("Share of flipped images from which on the trigger works."),
  stopPatience: z.int().min(1).max(100_000).default(25).describe("Steps without a smaller mask before it stops."),
  norm: z.enum(["l1", "l2"]).default("l1").describe("Norm of the mask that costs."),
  init: z
    .enum(["random", "ones"])
    .default("random")
    .describe(
      "Mask and pattern at first: uniform in [0, 1], or .88 everywhere (free variables of one, as BackdoorBench has it).",
    ),
});

/** Neural Cleanse as data. */
export const neuralCleanse = defineInverter({
  name: "neural-cleanse",
  summary: "Finds the smallest mask with a pattern that moves all clean images to each class.",
  source:
    'Wang et al. 2019, "Neural Cleanse", sections IV and V, https://doi.org/10.1109/SP.2019.00031; bolunwang/backdoor, visualizer.py and gtsrb_visualize_example.py; SCLBD/BackdoorBench, defense/nc.py',
  options,
  presets: {
    paper: [{ images: 1000, steps: 1000, minibatches: 31, batch: 32, begin: "zero" }],
    recommended: [{ images: 80, steps: 60, minibatches: 5, batch: 16 }],
  },
  statistic: "l1",
  needs: { prior: false },
  create: async (chosen, context) =>
    classByClass("neural-cleanse", context, {
      steps: chosen.steps,
      search: (given) => search({ ...chosen, ...given }),
    }),
});

type SearchSettings = z.output<typeof options> & ClassSearch;

/** The search for one class. */
async function search(settings: SearchSettings): Promise<Found> {
  const { target, request } = settings;
  const { run, progress, steps, minibatches, context } = settings;
  const classifier = needGradients("neural-cleanse", context);
  const sources = rowsBeside(request, target).slice(0, settings.images);
  const [, c = 1, h = 1, w = 1] = request.images.dims;
  const plane = h * w;
  const variables = firstVariables(settings.init, { run, row: sources[0] ?? 0, size: plane + elementCount([c, h, w]) });
  const optimiser = adam({ beta1: 0.5, beta2: 0.9 });
  const memory = Array.from({ length: optimiser.memories }, () => new Float32Array(variables.length));
  const schedule = startCost(costSettings(settings));
  const order = settings.norm === "l1" ? 1 : 2;
  let best: Patch | undefined;
  const losses: number[] = [];
  let step = 0;
  for (; step < steps && !schedule.stopped && run.enough?.aborted !== true; step++) {
    const sums = { loss: 0, hits: 0, images: 0, norm: 0 };
    for (let part = 0; part < minibatches; part++) {
      run.signal?.throwIfAborted();
      const update = step * minibatches + part;
      const rows = drawRows(sources, settings.batch, { noise: run.noise, step: update });
      const patch = patchOf(variables, plane);
      const answer = await patchAnswer(classifier, takeRows(request.images, rows), patch, {
        target,
        signal: run.signal,
      });
      const size = maskNorm(patch.mask, order);
      const mask = answer.gradient.mask.map((slope, i) => slope + schedule.cost * (size.gradient[i] ?? 0));
      const gradient = variableGradient({ mask, pattern: answer.gradient.pattern }, variables);
      optimiser.update(variables, gradient, memory, { rate: settings.rate, step: update });
      sums.loss += answer.loss + schedule.cost * size.norm;
      sums.norm += size.norm;
      sums.hits += answer.hits;
      sums.images += rows.length;
    }
    losses.push(sums.loss / minibatches);
    if (schedule.note(sums.hits / sums.images, sums.norm / minibatches)) best = patchOf(variables, plane);
    progress.add(1);
  }
  progress.add(steps - step);
  const { mask, pattern } = best ?? patchOf(variables, plane);
  return {
    target,
    sources,
    losses,
    complete: step === steps || schedule.stopped,
    trigger: {
      kind: "patch",
      mask: float32([1, 1, h, w], mask.slice()),
      pattern: float32([1, c, h, w], pattern.slice()),
    },
  };
}

function costSettings(settings: SearchSettings): CostSettings {
  const { cost, begin } = settings;
  return { ...settings, start: begin === "zero" ? 0 : cost, stopShare: 1 };
}

/** Where the search starts: the inverse of `tanh(v) / 2 + 1/2`, of values a hair inside [0, 1]; or ones. */
function firstVariables(
  init: "random" | "ones",
  { run, row, size }: { readonly run: InversionRun; readonly row: number; readonly size: number },
): Float32Array {
  if (init === "ones") return new Float32Array(size).fill(1);
  const values = uniformFromNoise(run.noise, row, "invert/start", 0, size);
  return Float32Array.from(values, (value) => Math.atanh((value - 0.5) * (2 - 1e-7)));
}
