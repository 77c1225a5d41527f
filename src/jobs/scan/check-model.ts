/** @file What a scan asks of a model and its images before any work, each refusal in one sentence. */
import type { Classifier } from "../../classifiers/classifier.ts";
import { type ClassifierFlags, type OnnxClassifierFiles, openOnnxClassifier } from "../../classifiers/onnx.ts";
import { OptionError, ToolkitError } from "../../core/errors.ts";
import { cleanAccuracy } from "../../metrics/accuracy.ts";
import { rate } from "../../metrics/count.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import { rowsOf } from "../../tensor/rows.ts";
import type { Probe } from "./probe.ts";

/** Labelled images from which on an accuracy says something, and how many are looked at. */
const FEWEST = 20;
const MOST = 256;
/** Below this accuracy another range of values is tried, and named when it is so much better. */
const SUSPECT = 0.6;
const BETTER = 0.15;

/** Ranges of values that models are trained on, as the flags that say them. */
const ranges: readonly {
  readonly words: string;
  readonly flags: string;
  readonly mean: number;
  readonly std: number;
}[] = [
  { words: "values from 0 to 1", flags: "--mean 0 --std 1", mean: 0, std: 1 },
  { words: "values from -1 to 1", flags: "--mean 0.5 --std 0.5", mean: 0.5, std: 0.5 },
  { words: "values from 0 to 255", flags: "--mean 0 --std 0.00392157", mean: 0, std: 1 / 255 },
];

/** A model as it answers to clean images. */
export interface CheckedModel {
  /** K. */
  readonly classes: number;
  /** Of the labelled images; `null` without labels. */
  readonly accuracy: number | null;
}

/**
 * Asks a model about clean images.
 * @param labelled whether the probe's labels are what images show, and not what the model says.
 * @throws ShapeError for images of other dims; OptionError for labels that the model does not have, classes that there are
 * not, or a range of values that it does not take; RuntimeFailure for scores that are not finite.
 */
export async function checkModel(
  classifier: Classifier,
  probe: Probe,
  asked: {
    readonly labelled: boolean;
    readonly classes?: readonly number[] | undefined;
    readonly signal?: AbortSignal | undefined;
    reopen(flags: Pick<ClassifierFlags, "mean" | "std">): Promise<Classifier>;
  },
): Promise<CheckedModel> {
  const images = rowsOf(probe.images, 0, Math.min(MOST, probe.labels.length));
  const { scores } = await classifier.classify(images, asked.signal);
  const classes = scores.dims[1] ?? 0;
  const unknown = asked.classes?.find((k) => k >= classes);
  if (unknown !== undefined) {
    throw new OptionError(
      `--classes: expected classes from 0 to ${classes - 1}, as the model has them, got ${unknown}.`,
    );
  }
  if (!asked.labelled) return { classes, accuracy: null };
  const wrong = probe.labels.find((label) => label < 0 || label >= classes);
  if (wrong !== undefined) {
    throw new OptionError(
      `scan: expected labels from 0 to ${classes - 1}, one for each score of the model, got ${wrong}. Do give images of the classes that the model knows.`,
    );
  }
  const shown = probe.labels.subarray(0, images.dims[0]);
  const accuracy = rate(cleanAccuracy(scores, shown));
  if (images.dims[0] !== undefined && images.dims[0] >= FEWEST && accuracy < SUSPECT) {
    for (const { words, flags, mean, std } of ranges) {
      const other = await tried(() => asked.reopen({ mean: [mean], std: [std] }));
      if (other === undefined) continue;
      try {
        const share = rate(cleanAccuracy((await other.classify(images, asked.signal)).scores, shown));
        if (share > accuracy + BETTER) {
          throw new OptionError(
            `scan: expected a model that calls the labelled images by their labels, got ${percent(accuracy)} right, and ${percent(share)} with ${words}. Do give ${flags}.`,
          );
        }
      } finally {
        await other.dispose();
      }
    }
    if (accuracy < 1.5 / classes) {
      throw new OptionError(
        `scan: expected a model that calls the labelled images by their labels, got ${percent(accuracy)} right of ${images.dims[0]} images and ${classes} classes, no better in another range of values. Do check labels, --mean, --std and --layout.`,
      );
    }
  }
  return { classes, accuracy };
}

/** Opens a model with other flags. */
export function reopener(
  files: OnnxClassifierFiles,
  runtime: Runtime,
  flags: ClassifierFlags,
): (other: Pick<ClassifierFlags, "mean" | "std">) => Promise<Classifier> {
  return (other) => openOnnxClassifier(files, runtime, { ...flags, ...other });
}

/** A range that a model refuses is none that it takes. */
async function tried(open: () => Promise<Classifier>): Promise<Classifier | undefined> {
  try {
    return await open();
  } catch (error) {
    if (error instanceof ToolkitError) return undefined;
    throw error;
  }
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`;
}
