/** @file What a cell is lent, and what comes of it. */
import type { Trigger } from "../../attacks/trigger.ts";
import type { Evaluation, MeasuredImages } from "../../bench/evaluate.ts";
import type { Classifier } from "../../classifiers/classifier.ts";
import type { DifferentiableClassifier } from "../../classifiers/differentiable.ts";
import type { OnnxClassifierFiles } from "../../classifiers/onnx.ts";
import type { WhiteBox } from "../../classifiers/white-box.ts";
import type { Prior } from "../../diffusion/prior.ts";
import type { Picture } from "../../images/picture.ts";
import type { BenchInversion, BenchScan } from "../../results/bench-row.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import type { Threshold } from "../calibration.ts";
import type { References } from "../scan/references.ts";
import type { ClassifiedImages } from "../training/host.ts";

/** What a face lends to a cell. What is open stays its owner's, who disposes it. */
export interface CellHost {
  readonly runtime: Runtime;
  readonly threads?: number | undefined;
  /** The model, open. */
  readonly classifier: Classifier;
  /** The files that it was opened from. */
  readonly files: OnnxClassifierFiles;
  /** The same with gradients, and those of its features where it has a last layer; asked for by evasion only. */
  differentiable(): Promise<DifferentiableClassifier>;
  /** The same with its graph at hand; asked for by inverters only. */
  whiteBox(): Promise<WhiteBox>;
  readonly trigger: Trigger | undefined;
  readonly prior: Prior | undefined;
  /** The images that the job chooses. */
  readonly images: MeasuredImages;
  readonly classes: number;
  /** The clean images that set the threshold. */
  readonly calibration: MeasuredImages | undefined;
  /** The clean images that a repair, an inverter or a scan may see. */
  readonly clean: ClassifiedImages | undefined;
  /** What a scan compares with. */
  readonly references: References | undefined;
  /** Seconds of a clock that only goes forward. */
  now(): number;
  readonly signal?: AbortSignal | undefined;
  /** @param share 0..1 of the cell. */
  progress?(share: number): void;
}

/** What was counted of images behind a defence. */
export interface Answers {
  readonly evaluation: Evaluation;
  readonly threshold: Threshold;
  /** Images that were defended and classified in all: clean and attacked, without the calibration. */
  readonly defended: number;
  /** That the defence took for them, without the attack. */
  readonly seconds: number;
  readonly networkCalls: number;
  readonly classifierCalls: number;
  readonly sheet: Picture | undefined;
}

/** What was measured: images that were answered, or a model that was looked into. */
export interface CellMeasures {
  readonly answers: Answers | undefined;
  readonly inversion: BenchInversion | undefined;
  readonly scan: BenchScan | undefined;
  /** The attacker's class; `null` where each image has its own, or there is none. */
  readonly target: number | null;
  /** Clean images that are measured. */
  readonly images: number;
  /** Spent once, before any image was answered. */
  readonly secondsOnce: number;
}

/** What one kind of defence measures of it. */
export type Measured = Partial<Pick<CellMeasures, "answers" | "inversion" | "scan" | "secondsOnce">>;
