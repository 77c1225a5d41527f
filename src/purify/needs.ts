/** @file What a purifier asks of its context and of its input, each refusal in one sentence. */
import type { Classifier } from "../classifiers/classifier.ts";
import { OptionError, ShapeError } from "../core/errors.ts";
import type { Prior } from "../diffusion/prior.ts";
import { type ImageDims, imageDims } from "../tensor/shape.ts";
import type { PurifierContext } from "./purifier.ts";

/** The prior of a context. @throws OptionError when there is none. */
export function needPrior(method: string, { prior }: PurifierContext): Prior {
  if (prior === undefined) throw new OptionError(`${method}: expected a diffusion prior, got none. Give one.`);
  return prior;
}

/** The classifier of a context. @throws OptionError when there is none. */
export function needClassifier(method: string, { classifier }: PurifierContext): Classifier {
  if (classifier === undefined) throw new OptionError(`${method}: expected a classifier, got none. Give one.`);
  return classifier;
}

/**
 * Checks a number of noising steps against the chain.
 * @throws OptionError when the chain is shorter.
 */
export function checkSteps(method: string, option: string, steps: number, available: number): void {
  if (steps > available) {
    throw new OptionError(
      `${method}: option "${option}": expected at most ${available}, the steps of the prior's chain, got ${steps}.`,
    );
  }
}

/**
 * The dims of a batch, checked against the prior's.
 * @throws ShapeError naming both and what to do.
 */
export function checkImages(method: string, dims: readonly number[], prior: Prior["dims"]): ImageDims {
  const images = imageDims(method, dims);
  const { channels, height, width } = prior;
  if (images.c !== channels || images.h !== height || images.w !== width) {
    const advice = [
      ...(images.h === height && images.w === width ? [] : [`Resize them with --fit.`]),
      ...(images.c === channels ? [] : [`Convert them with --channels ${channels}.`]),
    ];
    throw new ShapeError(
      `${method}: expected images of ${channels}x${height}x${width} (channels x height x width) because the prior has these, got ${images.c}x${images.h}x${images.w}. ${advice.join(" ")}`,
    );
  }
  return images;
}
