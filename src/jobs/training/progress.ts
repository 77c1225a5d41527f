/** @file What a training tells while it runs, and leaves behind when it ends, whatever it trains. */
import { z } from "zod";
import type { StepReport } from "../../training/loop.ts";

/** A moment of a training. */
export interface TrainingProgress {
  /** Steps made, of so many. */
  readonly step: number;
  readonly steps: number;
  /** Mean loss of the last hundred steps. */
  readonly loss: number;
  /** Images seen so far. */
  readonly images: number;
  readonly rate: number;
}

/** Follows a training's steps. */
export function followTraining(
  { steps, batch, losses }: { readonly steps: number; readonly batch: number; readonly losses: readonly number[] },
  { step, rate }: Pick<StepReport, "step" | "rate">,
): TrainingProgress {
  return { step, steps, loss: recentLoss(losses), images: step * batch, rate };
}

/** Mean over the last hundred losses: a single one says little. */
export function recentLoss(losses: readonly number[]): number {
  const last = losses.slice(-100);
  return last.reduce((sum, loss) => sum + loss, 0) / last.length;
}

/** Schema version of {@link trainingRecord}. */
export const TRAINING_SCHEMA = "untrigger/training@1";

/** What `training.json` says about a model, and `train --json` prints. */
export const trainingRecord = z.looseObject({
  schema: z.literal(TRAINING_SCHEMA),
  kind: z.enum(["classifier", "prior", "mae"]),
  dataset: z.string(),
  datasetSha256: z.string().nullable(),
  /** Every option, complete. */
  options: z.record(z.string(), z.unknown()),
  seed: z.number(),
  /** Numbers that learned. */
  parameters: z.number(),
  steps: z.number(),
  /** Mean over the last hundred steps. */
  loss: z.number(),
  /** On the test images; `null` where it makes no sense. */
  accuracy: z.number().nullable(),
});

/** A record of {@link trainingRecord}. */
export type TrainingRecord = z.output<typeof trainingRecord>;
