/** @file What a column of the bench is: something that stands against every attack of a grid. One kind, one file. */
import type { ImageShape } from "../../../attacks/trigger.ts";
import type { Precision } from "../../../diffusion/prior.ts";
import type { CellDefence } from "../job.ts";
import type { ChosenImages, PlanHost } from "../plan-host.ts";

/** A column as far as the plan alone tells: names and options are known by now, nothing was read or opened. */
export interface Column {
  /** For messages. */
  readonly name: string;
  readonly needsPrior: boolean;
  readonly precision: Precision;
  /** Whether clean images set a threshold for it. */
  readonly calibration: "none" | "optional" | "needed";
  /** Whether it searches the model for what was planted in it: then gradients are needed, and evasions make no sense. */
  readonly searches: boolean;
  /** The defence as jobs say it. @throws OptionError when it does not fit the data; what looking things up throws. */
  complete(facts: ColumnFacts): Promise<CellDefence>;
}

/** What data say. */
export interface ColumnFacts {
  readonly shape: ImageShape;
  readonly classes: number;
  /** So many images of the validation split that nothing is measured on. @throws OptionError when there are not so many. */
  clean(count: number): Promise<ChosenImages>;
  readonly host: PlanHost;
}
