/** @file How repairs train a network on clean images: options, and the training. */
import { z } from "zod";
import { augmentationOf, augmentationOptions } from "../training/batches/augment.ts";
import { type LabelledBatch, labelledBatches } from "../training/batches/labelled.ts";
import { stepsPerEpoch } from "../training/batches/order.ts";
import type { BatchSource } from "../training/loop.ts";
import { sgd } from "../training/optimisers.ts";
import { constantRate, cosineRate } from "../training/schedules.ts";
import { type ClassifierNet, type TrainedClassifier, trainClassifier } from "../training/train-classifier.ts";
import { fitBatch } from "./fit-batch.ts";
import type { RepairContext } from "./repair.ts";

/** What is set about a training. */
export const tuningOptions = z.object({
  epochs: z.number().gt(0).max(1e5).default(10).describe("Times that every clean image is seen."),
  batch: z.int().min(1).max(65_536).default(64).describe("Clean images of one step."),
  rate: z.number().gt(0).max(100).default(0.01).describe("Highest learning rate."),
  schedule: z.enum(["constant", "cosine"]).default("constant").describe("Learning rate over the training."),
  momentum: z.number().min(0).lt(1).default(0.9).describe("Momentum of the weights."),
  weightDecay: z.number().min(0).max(1).default(5e-4).describe("Decay of the weights."),
  crop: augmentationOptions.shape.crop.describe("Pixels of zeros around an image before it is cropped at random."),
  flip: augmentationOptions.shape.flip.describe("Mirror every other image left to right."),
});

/** Settings of {@link tune}. */
export type Tuning = z.output<typeof tuningOptions>;

/** What a training works on, when it is not the net on clean images as they are. */
export interface TuningParts {
  readonly net?: ClassifierNet;
  /** Which initializers learn. */
  readonly learns?: (name: string) => boolean;
  /** Batches in place of the clean ones, of `rows` rows. */
  readonly batches?: BatchSource<LabelledBatch>;
  readonly rows?: number;
}

/** Clean batches of a tuning. @throws what `labelledBatches` throws. */
export function cleanBatches(
  tuning: Tuning,
  { learned, classes, seed }: Pick<RepairContext, "learned" | "classes" | "seed">,
  batch: number,
): BatchSource<LabelledBatch> {
  return labelledBatches({ ...learned, classes, batch, seed, augmentation: augmentationOf(tuning) });
}

/** Trains by stochastic gradient descent, telling the context how far it is. @throws what `trainClassifier` throws. */
export async function tune(
  tuning: Tuning,
  context: RepairContext,
  parts: TuningParts = {},
): Promise<TrainedClassifier> {
  const { epochs, rate, schedule, momentum, weightDecay } = tuning;
  const { runtime, threads, signal, learned } = context;
  const batch = fitBatch(tuning.batch, context);
  const steps = Math.max(1, Math.round(epochs * stepsPerEpoch({ items: learned.labels.length, batch })));
  return await trainClassifier({
    runtime,
    threads,
    signal,
    net: parts.net ?? context.net,
    learns: parts.learns,
    batch: parts.rows ?? batch,
    batches: parts.batches ?? cleanBatches(tuning, context, batch),
    plan: {
      steps,
      optimiser: sgd({ momentum, weightDecay }),
      rate,
      schedule: schedule === "cosine" ? cosineRate() : constantRate,
    },
    onStep: ({ step }) => context.progress?.(step, steps),
  });
}
