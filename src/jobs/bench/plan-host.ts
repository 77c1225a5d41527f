/** @file What expanding a plan asks the face for: facts about data, priors and models that lie somewhere. */
import type { TrainingImages } from "../../attacks/attack.ts";
import type { ImageShape } from "../../attacks/trigger.ts";
import type { Precision } from "../../diffusion/prior.ts";
import type { BenchMethod } from "../../results/bench-row.ts";
import type { Draw } from "./drawn-rows.ts";

/** Images of one cell, chosen by a fixed draw: fewer are the first of more. */
export interface ChosenImages {
  readonly count: number;
  /** `contentHash` of the chosen images. */
  readonly sha256: string;
}

/** A split as cells measure on it. */
export interface SplitFacts {
  /** What the data set calls itself. */
  readonly name: string;
  /** Images in all. */
  readonly items: number;
  readonly shape: ImageShape;
  readonly classes: number;
  /** `contentHash` of the whole split. */
  readonly sha256: string;
  /** Images of a draw. @throws OptionError when there are not so many. */
  choose(draw: Draw): ChosenImages;
}

/** Data that models learn from. */
export interface TrainingFacts extends TrainingImages {
  /** `TrainingData.sha256`: of the images learned from and those measured on. */
  readonly sha256: string;
}

/** A model that lies in a folder, with its trigger. */
export interface ModelFacts {
  /** Hash of all its files. */
  readonly sha256: string;
  readonly attack: BenchMethod;
  /** What the trigger fits; `undefined` for a model without one. */
  readonly shape: ImageShape | undefined;
}

/** Clean models that scans compare with. */
export interface ReferenceFacts {
  /** Hash of what they hold. */
  readonly sha256: string;
  readonly shape: ImageShape;
  readonly classes: number;
}

/** Looks things up; what was looked up once is not read again. */
export interface PlanHost {
  /** @throws OptionError, InputError, FormatError when there are no such data, or damaged ones. */
  split(data: string, split: "validation" | "test"): Promise<SplitFacts>;
  /** @param images the first so many; all for `null`. @throws as `split`. */
  training(data: string, images: number | null): Promise<TrainingFacts>;
  /** @throws what opening it throws. */
  prior(path: string, precision: Precision): Promise<{ readonly hash: string; readonly shape: ImageShape }>;
  /** @throws InputError, FormatError when it is no model with its trigger. */
  model(folder: string): Promise<ModelFacts>;
  /** @throws OptionError, UnsupportedOpError, RuntimeFailure when the model of a folder has no gradients by its pixels. */
  gradients(folder: string, shape: ImageShape): Promise<void>;
  /** @throws InputError, FormatError when a folder holds no references, or not all of them. */
  references(folder: string): Promise<ReferenceFacts>;
}
