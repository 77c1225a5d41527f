/** @file How a network is trained, as options that a user can set: the same for every kind of network, with its defaults. */
import { z } from "zod";
import { augmentationOptions } from "../../training/batches/augment.ts";
import type { TrainingPlan } from "../../training/loop.ts";
import { adam, adamW, type Optimiser, sgd } from "../../training/optimisers.ts";
import { constantRate, cosineRate, oneCycleRate, type RateSchedule, stepRate } from "../../training/schedules.ts";

/** What differs from one kind of network to another. */
interface RecipeDefaults {
  readonly epochs: number;
  readonly batch: number;
  readonly optimiser: "sgd" | "adam" | "adamw";
  readonly rate: number;
  readonly schedule: "one-cycle" | "cosine" | "step" | "constant";
  readonly warmup: number;
  readonly weightDecay: number;
  readonly clip: number | null;
  readonly averaging: number | null;
}

function recipeWith(defaults: RecipeDefaults) {
  return z.object({
    epochs: z.number().gt(0).max(1e5).default(defaults.epochs).describe("times that every image is seen"),
    batch: z.int().min(1).max(65_536).default(defaults.batch).describe("images of one step"),
    optimiser: z.enum(["sgd", "adam", "adamw"]).default(defaults.optimiser).describe("how weights follow the gradient"),
    rate: z.number().gt(0).max(100).default(defaults.rate).describe("highest learning rate"),
    schedule: z
      .enum(["one-cycle", "cosine", "step", "constant"])
      .default(defaults.schedule)
      .describe("learning rate over the training; step: a tenth after half and three quarters of it"),
    warmup: z.int().min(0).max(1e6).default(defaults.warmup).describe("steps in which a cosine rises from zero"),
    momentum: z.number().min(0).lt(1).default(0.9).describe("momentum of sgd, after Nesterov"),
    weightDecay: z.number().min(0).max(1).default(defaults.weightDecay).describe("decay of the weights"),
    clip: z.number().gt(0).nullable().default(defaults.clip).describe("longest gradient; null for any"),
    averaging: z
      .number()
      .min(0)
      .lt(1)
      .nullable()
      .default(defaults.averaging)
      .describe("decay of the moving average of the weights, which is then saved; null to save the last weights"),
    ...augmentationOptions.shape,
  });
}

/** For classifiers: stochastic gradient descent in one cycle. */
export const classifierRecipe = recipeWith({
  epochs: 3,
  batch: 64,
  optimiser: "sgd",
  rate: 0.1,
  schedule: "one-cycle",
  warmup: 0,
  weightDecay: 5e-4,
  clip: null,
  averaging: null,
});

/** For nets that make images: Adam with a cosine, clipped and averaged. */
export const generativeRecipe = recipeWith({
  epochs: 10,
  batch: 64,
  optimiser: "adam",
  rate: 1e-3,
  schedule: "cosine",
  warmup: 300,
  weightDecay: 0,
  clip: 1,
  averaging: 0.9995,
});

/** A complete recipe. */
export type Recipe = z.output<typeof classifierRecipe>;

/** The plan of a recipe for so many images. */
export function planOf(recipe: Recipe, items: number): TrainingPlan {
  const { epochs, batch, rate, clip, averaging } = recipe;
  return {
    steps: Math.max(1, Math.round(epochs * Math.floor(items / batch))),
    optimiser: optimiserOf(recipe),
    rate,
    schedule: scheduleOf(recipe),
    clip: clip ?? undefined,
    averaging: averaging ?? undefined,
  };
}

function optimiserOf({ optimiser, momentum, weightDecay }: Recipe): Optimiser {
  switch (optimiser) {
    case "sgd":
      return sgd({ momentum, nesterov: momentum > 0, weightDecay });
    case "adam":
      return adam({ weightDecay });
    case "adamw":
      return adamW({ weightDecay });
  }
}

function scheduleOf({ schedule, warmup }: Recipe): RateSchedule {
  switch (schedule) {
    case "one-cycle":
      return oneCycleRate();
    case "cosine":
      return cosineRate({ warmup });
    case "step":
      return stepRate({ milestones: [0.5, 0.75] });
    case "constant":
      return constantRate;
  }
}
