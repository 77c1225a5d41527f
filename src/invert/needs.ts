/** @file What an inverter asks of its context and of a request, each refusal in one sentence. */
import type { ScoreKind } from "../classifiers/classifier.ts";
import type { DifferentiableClassifier } from "../classifiers/differentiable.ts";
import { requireGradients } from "../classifiers/white-box.ts";
import { OptionError, ShapeError } from "../core/errors.ts";
import { winners } from "../metrics/accuracy.ts";
import { imageDims } from "../tensor/shape.ts";
import type { Float32Tensor } from "../tensor/tensor.ts";
import type { InversionRequest, InversionRun, InverterContext } from "./inverter.ts";

/** A request that has been checked. */
export interface CheckedRequest {
  readonly images: Float32Tensor;
  /** Of each image, as given or as the classifier says. */
  readonly labels: Int32Array;
  readonly classes: readonly number[];
  /** K. */
  readonly classCount: number;
  /** What the classifier's scores are. */
  readonly kind: ScoreKind;
}

/** The classifier of a context, with gradients. @throws OptionError when it has none. */
export function needGradients(method: string, { classifier }: InverterContext): DifferentiableClassifier {
  return requireGradients(method, classifier);
}

/**
 * Checks a request against the classifier.
 * @throws ShapeError when images do not fit it or labels do not fit them, OptionError without images, without classes, or
 * for a class that there is not.
 */
export async function checkRequest(
  method: string,
  { images, labels, classes }: InversionRequest,
  { context, run }: { readonly context: InverterContext; readonly run: InversionRun },
): Promise<CheckedRequest> {
  const { n } = imageDims(method, images.dims);
  if (n === 0) {
    throw new OptionError(`${method}: expected at least one clean image, got none. Do give one or more with --images.`);
  }
  const { scores, kind } = await context.classifier.classify(images, run.signal);
  const classCount = scores.dims[1] ?? 0;
  if (labels !== undefined && labels.length !== n) {
    throw new ShapeError(`${method}: expected a label for each of ${n} images, got ${labels.length}.`);
  }
  if (classes.length === 0) throw new OptionError(`${method}: expected at least one class to look at, got none.`);
  const unknown = classes.find((k) => !Number.isInteger(k) || k < 0 || k >= classCount);
  if (unknown !== undefined) {
    throw new OptionError(
      `${method}: expected classes from 0 to ${classCount - 1}, as many as the classifier has, got ${unknown}.`,
    );
  }
  const shown = labels === undefined ? winners(scores) : Int32Array.from(labels);
  return { images, labels: shown, classes: [...new Set(classes)], classCount, kind };
}

/** Classes with the first so many rows that do not show them; classes that every image shows are left out. */
export function sourcesOf(
  request: CheckedRequest,
  count: number,
): { readonly target: number; readonly sources: readonly number[] }[] {
  return request.classes.flatMap((target) => {
    const sources = rowsBeside(request, target).slice(0, count);
    return sources.length === 0 ? [] : [{ target, sources }];
  });
}

/** Rows that do not show a class, in their order. */
export function rowsBeside({ labels }: CheckedRequest, target: number): number[] {
  return [...labels.keys()].filter((row) => labels[row] !== target);
}
