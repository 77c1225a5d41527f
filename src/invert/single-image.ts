/** @file The search of SmoothInv and PlainAdv: for each class a perturbation of one clean image, by projected descent. */
import { z } from "zod";
import type { DifferentiableClassifier } from "../classifiers/differentiable.ts";
import { rowsOf } from "../tensor/rows.ts";
import { elementCount } from "../tensor/shape.ts";
import { type Descent, startDescent } from "./descent.ts";
import { stepInGroups } from "./groups.ts";
import type { Inversion, InversionRequest, InversionRun, InverterContext } from "./inverter.ts";
import { addToRowsInto } from "./kernels.ts";
import { type CheckedRequest, checkRequest, rowsBeside } from "./needs.ts";
import { type NoisyImage, smoothedAnswers } from "./smoothed.ts";
import { measured, perturbationOf } from "./trigger.ts";

/** Options that both methods have. */
export const descentOptions = {
  eps: z
    .number()
    .gt(0)
    .max(1e4)
    .default(2)
    .describe("Most L2 norm of the perturbation over all pixels and channels: 5 and 10 in the paper, at 224x224x3."),
  steps: z
    .int()
    .min(1)
    .max(100_000)
    .default(60)
    .describe("Steps of the descent; the rate halves after three quarters."),
  rate: z.number().gt(0).max(10).default(0.05).describe("Length of the first steps, as a share of eps."),
  momentum: z.number().min(0).lt(1).default(0.9).describe("Share of the last step that the next one keeps."),
  sources: z
    .int()
    .min(1)
    .max(1000)
    .default(1)
    .describe("How many of the given images to start from, each on its own: the first that do not show the class."),
};

/** Parsed {@link descentOptions}. */
export type DescentOptions = z.output<z.ZodObject<typeof descentOptions>>;

/** What is descended on. */
export interface Robustified {
  /** Perhaps behind a denoiser. */
  readonly classifier: DifferentiableClassifier;
  /** Deviation of the noise of each copy. */
  readonly sigma: number;
  readonly copies: number;
}

/** One class from one image. */
interface Search {
  readonly target: number;
  readonly source: number;
  readonly image: Float32Array;
  readonly descent: Descent;
  readonly losses: number[];
}

/**
 * Inverts classes from single images and yields an inversion for each class and source. Noise is that of the source image
 * and the step, so that classes share it: what differs between them is the class.
 */
export async function* invertFromSingleImages(
  method: string,
  given: InversionRequest,
  settings: DescentOptions & { readonly robustified: Robustified; context: InverterContext; run: InversionRun },
): AsyncGenerator<Inversion, void, undefined> {
  const { robustified, context, run, eps, steps } = settings;
  const request = await checkRequest(method, given, settings);
  const [, ...dims] = request.images.dims;
  const size = elementCount(dims);
  const pairs = request.classes.flatMap((target) =>
    rowsBeside(request, target)
      .slice(0, settings.sources)
      .map((source) => ({ target, source })),
  );
  const ended = stepInGroups(pairs, {
    values: robustified.copies * size,
    steps,
    run,
    begin: (pair): Search => ({
      ...pair,
      image: rowsOf(request.images, pair.source, pair.source + 1).data,
      descent: startDescent(size, { ...settings, rate: settings.rate * eps }),
      losses: [],
    }),
    step: (group, step) => stepTogether(group, request, { robustified, run, step }),
  });
  for await (const { search, complete } of ended) {
    const { target, source, losses, descent } = search;
    const trigger = perturbationOf(descent.change, dims);
    yield await measured({ target, sources: [source], losses, complete, trigger }, request, { context, run });
  }
}

/** One step of every search of a group, from one batch. */
async function stepTogether(
  group: readonly Search[],
  { images, kind }: CheckedRequest,
  { robustified, run, step }: { readonly robustified: Robustified; readonly run: InversionRun; readonly step: number },
): Promise<void> {
  const { classifier, sigma, copies } = robustified;
  const [, ...dims] = images.dims;
  const size = elementCount(dims);
  const noises = new Map<number, Float32Array>();
  const noiseOf = (row: number): Float32Array => {
    const known =
      noises.get(row) ?? (sigma > 0 ? run.noise(row, "invert", step, copies * size) : new Float32Array(copies * size));
    noises.set(row, known);
    return known;
  };
  const noisy = group.map(({ image, target, source, descent }): NoisyImage => {
    const pixels = new Float32Array(size);
    addToRowsInto(pixels, image, descent.change);
    return { pixels, target, noise: noiseOf(source) };
  });
  const answers = await smoothedAnswers(classifier, noisy, { dims, sigma, kind, signal: run.signal });
  for (const [i, { image, descent, losses }] of group.entries()) {
    const answer = answers[i];
    if (answer === undefined) continue;
    losses.push(answer.loss);
    descent.step(answer.gradient, { step, image });
  }
}
