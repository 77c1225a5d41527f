/**
 * @file PixelBackdoor (PixelInv): for each class a change of as few pixels as possible, written as the difference of two
 * bounded variables, so that pixels come and go by themselves.
 *
 * | here     | paper and code                               |
 * |----------|----------------------------------------------|
 * | raised   | b_p, what is added to pixels                 |
 * | lowered  | b_n, what is taken from them                 |
 * | cost     | weight of the number of pixels               |
 */
import { z } from "zod";
import { uniformFromNoise } from "../core/noise.ts";
import { takeRows } from "../tensor/rows.ts";
import { elementCount } from "../tensor/shape.ts";
import { float32 } from "../tensor/tensor.ts";
import { adam } from "../training/optimisers.ts";
import { type ClassSearch, classByClass } from "./class-by-class.ts";
import { startCost } from "./cost-schedule.ts";
import { drawRows } from "./draw.ts";
import { defineInverter } from "./inverter.ts";
import { addPixelCountInto } from "./kernels.ts";
import { needGradients, rowsBeside } from "./needs.ts";
import type { Found } from "./trigger.ts";
import { universalAnswers } from "./universal.ts";

const options = z.object({
  images: z
    .int()
    .min(1)
    .max(100_000)
    .default(64)
    .describe("How many of the given images it learns from: the first that do not show the class."),
  batch: z.int().min(1).max(1000).default(32).describe("Images of an update; what is left over of a step waits."),
  steps: z.int().min(1).max(100_000).default(60).describe("Passes over the images."),
  rate: z.number().gt(0).max(10).default(0.1).describe("Learning rate of Adam (betas .5 and .9)."),
  cost: z.number().gt(0).max(1e6).default(1e-2).describe("Cost of a pixel at first."),
  factor: z
    .number()
    .gt(1)
    .max(100)
    .default(1.5)
    .describe("By how much the cost rises; it falls by the power 1.5 of that."),
  patience: z.int().min(1).max(1000).default(4).describe("Steps in a row before the cost changes."),
  threshold: z.number().gt(0).max(1).default(0.9).describe("Share of flipped images from which on the trigger works."),
});

/** PixelBackdoor as data. */
export const pixelBackdoor = defineInverter({
  name: "pixel-backdoor",
  summary: "Finds a change of as few pixels as possible that moves all clean images to each class.",
  source:
    'Tao et al. 2022, "Better Trigger Inversion Optimization in Backdoor Scanning", section 4, https://doi.org/10.1109/CVPR52688.2022.01301; Gwinhen/PixelBackdoor, src/inversion_torch.py',
  options,
  presets: {
    official: [{ images: 100, steps: 1000, cost: 1e-3, patience: 10 }],
    recommended: [{ images: 64, steps: 60, cost: 1e-2, patience: 4 }],
  },
  statistic: "pixels",
  needs: { prior: false },
  create: async (chosen, context) =>
    classByClass("pixel-backdoor", context, {
      steps: chosen.steps,
      search: (given) => search({ ...chosen, ...given }),
    }),
});

type SearchSettings = z.output<typeof options> & ClassSearch;

/** The search for one class. */
async function search(settings: SearchSettings): Promise<Found> {
  const { target, request } = settings;
  const { run, progress, steps, context, threshold } = settings;
  const classifier = needGradients("pixel-backdoor", context);
  const sources = rowsBeside(request, target).slice(0, settings.images);
  const [, ...dims] = request.images.dims;
  const size = elementCount(dims);
  const plane = (dims[1] ?? 1) * (dims[2] ?? 1);
  const start = uniformFromNoise(run.noise, sources[0] ?? 0, "invert/start", 0, 2 * size);
  const variables = Float32Array.from(start);
  const optimiser = adam({ beta1: 0.5, beta2: 0.9 });
  const memory = Array.from({ length: optimiser.memories }, () => new Float32Array(2 * size));
  const schedule = startCost({
    ...settings,
    start: settings.cost,
    stopPatience: Number.POSITIVE_INFINITY,
    stopShare: 1,
  });
  const batch = Math.min(settings.batch, sources.length);
  const batches = Math.floor(sources.length / batch);
  let best = {
    change: undefined as Float32Array | undefined,
    penalty: Number.POSITIVE_INFINITY,
    pixels: Number.POSITIVE_INFINITY,
  };
  const losses: number[] = [];
  let step = 0;
  for (; step < steps && run.enough?.aborted !== true; step++) {
    const order = drawRows(sources, sources.length, { noise: run.noise, step });
    const sums = { loss: 0, hits: 0, penalty: 0 };
    for (let part = 0; part < batches; part++) {
      run.signal?.throwIfAborted();
      const images = takeRows(request.images, order.slice(part * batch, (part + 1) * batch));
      const [answer] = await universalAnswers(
        classifier,
        [{ images, target, change: changeOf(variables) }],
        run.signal,
      );
      if (answer === undefined) continue;
      const slopes = variables.map((value, i) => {
        const slope = answer.gradient[i % size] ?? 0;
        return value < 0 || value > 1 ? 0 : i < size ? slope : -slope;
      });
      const penalty = addPixelCountInto(slopes, variables, { plane, weight: schedule.cost });
      optimiser.update(variables, slopes, memory, { rate: settings.rate, step: step * batches + part });
      sums.loss += answer.loss + schedule.cost * penalty;
      sums.hits += answer.hits;
      sums.penalty += penalty;
    }
    losses.push(sums.loss / batches);
    const success = sums.hits / (batches * batch);
    const penalty = sums.penalty / batches;
    schedule.note(success, penalty);
    const change = visibleChange(variables);
    const pixels = pixelsOf(change, plane);
    if (success >= threshold && penalty < best.penalty && pixels < best.pixels) {
      best = { change, penalty, pixels };
      restartInto(variables, change);
    }
    progress.add(1);
  }
  const perturbation = float32([1, ...dims], best.change ?? visibleChange(variables));
  return { target, sources, losses, complete: step === steps, trigger: { kind: "perturbation", perturbation } };
}

/** What both variables do to an image: `clamp(raised) - clamp(lowered)`. */
function changeOf(variables: Float32Array): Float32Array {
  const size = variables.length / 2;
  const held = (value = 0): number => Math.min(Math.max(value, 0), 1);
  return Float32Array.from({ length: size }, (_, i) => held(variables[i]) - held(variables[size + i]));
}

/** The change without what no picture file can hold. */
function visibleChange(variables: Float32Array): Float32Array {
  return changeOf(variables).map((value) => (Math.abs(value) < 1 / 255 ? 0 : value));
}

/** Pixels that change in any channel. */
function pixelsOf(change: Float32Array, plane: number): number {
  const changed = new Set<number>();
  for (const [i, value] of change.entries()) if (value !== 0) changed.add(i % plane);
  return changed.size;
}

/** Lets the variables go on from a change. */
function restartInto(variables: Float32Array, change: Float32Array): void {
  for (const [i, value] of change.entries()) {
    variables[i] = Math.max(value, 0);
    variables[change.length + i] = Math.max(-value, 0);
  }
}
