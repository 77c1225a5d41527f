/**
 * @file What is measured of every class of a model, suspect or reference: how easily one perturbation moves images to it
 * and whether that carries over to other models, how small such a perturbation can be, what a warp does, and how many
 * disturbed images fall into it.
 */
import type { Classifier } from "../../classifiers/classifier.ts";
import type { DifferentiableClassifier } from "../../classifiers/differentiable.ts";
import { parseOptions } from "../../core/descriptor.ts";
import { createNoise } from "../../core/noise.ts";
import type { Inversion, InversionRun, InverterDescriptor } from "../../invert/inverter.ts";
import { neuralCleanse } from "../../invert/neural-cleanse.ts";
import { smallestPerturbation } from "../../invert/smallest-perturbation.ts";
import { stamp, successOf } from "../../invert/trigger.ts";
import { universalPerturbation } from "../../invert/universal-perturbation.ts";
import { universalWarp } from "../../invert/universal-warp.ts";
import { cleanAccuracy, winners } from "../../metrics/accuracy.ts";
import { rate } from "../../metrics/count.ts";
import { takeRows } from "../../tensor/rows.ts";
import { elementCount } from "../../tensor/shape.ts";
import { disturbances } from "./disturbances.ts";
import type { ClassMeasure, ModelMeasures } from "./measures.ts";
import type { Probe } from "./probe.ts";

/** Values of the images that the radius of 2 was chosen on: 28x28 pixels of one channel. */
const USUAL_VALUES = 784;

/** Numbers of the four searches, and of the images that they take. */
export const SEARCH = {
  eps: 2,
  bounded: { images: 16, steps: 40 },
  smallest: { images: 64, batch: 8, steps: 120 },
  mask: { images: 64, batch: 16, steps: 30, minibatches: 3, patience: 2, threshold: 0.95 },
  warp: { reach: 0.5, grid: 4, images: 16, steps: 40 },
} as const;

/** What the searches have found for a class. */
export interface FoundTriggers {
  readonly bounded: Inversion;
  readonly smallest: Inversion;
  readonly mask: Inversion;
  readonly warp: Inversion;
}

/** A model's measures with the triggers behind them. */
export interface MeasuredModel {
  readonly measures: ModelMeasures;
  /** Of each class that there were images to learn from. */
  readonly found: readonly FoundTriggers[];
  /** False where `enough` ended a search before its time. */
  readonly complete: boolean;
}

/** What {@link measureModel} is told. */
export interface MeasureSettings {
  readonly classes: readonly number[];
  /** Classifiers of the same classes that no perturbation was made for. */
  readonly judges: readonly Classifier[];
  readonly seed: number;
  readonly signal?: AbortSignal | undefined;
  /** Once aborted, the searches end with what they have. */
  readonly enough?: AbortSignal | undefined;
  progress?(done: number, total: number): void;
}

/** The radius of the bounded search for images of these dims: as much a pixel as on 28x28x1. */
export function radiusFor(dims: readonly number[]): number {
  return SEARCH.eps * Math.sqrt(elementCount(dims.slice(1)) / USUAL_VALUES);
}

/**
 * Measures the classes of a model. @throws OptionError, ShapeError when classes, images and model do not fit; RuntimeFailure
 * when scores or gradients are not finite; the signal's reason when aborted.
 */
export async function measureModel(
  classifier: DifferentiableClassifier,
  probe: Probe,
  settings: MeasureSettings,
): Promise<MeasuredModel> {
  const { classes, signal, judges } = settings;
  const { scores } = await classifier.classify(probe.images, signal);
  const accuracy = rate(cleanAccuracy(scores, probe.labels));
  const drift = await driftOf(classifier, probe, settings);
  const eps = radiusFor(probe.images.dims);
  const { smallest, mask, warp } = SEARCH;
  const parts = [SEARCH.bounded.steps, smallest.steps, mask.steps, warp.steps].map((steps) => steps * classes.length);
  const whole = parts.reduce((sum, steps) => sum + steps, 0);
  const after = (part: number) => (done: number) => {
    settings.progress?.(
      parts.slice(0, part).reduce((sum, steps) => sum + steps, done),
      whole,
    );
  };
  const bounded = await run(universalPerturbation, { ...SEARCH.bounded, eps }, after(0));
  const least = await run(smallestPerturbation, { ...smallest, start: eps }, after(1));
  const masks = await run(neuralCleanse, { ...mask, stopPatience: mask.steps }, after(2));
  const warps = await run(universalWarp, warp, after(3));
  const found = bounded.flatMap((one, i): FoundTriggers[] => {
    const [other, covered, warped] = [least[i], masks[i], warps[i]];
    if (other === undefined || covered === undefined || warped === undefined) return [];
    return [{ bounded: one, smallest: other, mask: covered, warp: warped }];
  });
  const measured: ClassMeasure[] = [];
  for (const triggers of found) {
    const { target } = triggers.bounded;
    measured.push({
      class: target,
      success: successOf(triggers.bounded),
      carried: await carriedTo(judges, probe, triggers.bounded, signal),
      norm: triggers.smallest.norms.l2,
      mask: triggers.mask.norms.l1,
      warp: successOf(triggers.warp),
      drift: drift.map((shares) => shares[target] ?? 0),
    });
  }
  const complete = [...bounded, ...least, ...masks, ...warps].every((one) => one.complete);
  return { found, complete, measures: { accuracy, classes: measured } };

  async function run(
    descriptor: InverterDescriptor,
    options: Record<string, unknown>,
    progress: (done: number) => void,
  ): Promise<Inversion[]> {
    const inverter = await descriptor.create(parseOptions(descriptor, options), { classifier });
    const noise = createNoise(settings.seed, probe.ids);
    const context: InversionRun = { noise, signal, enough: settings.enough, progress };
    const inversions: Inversion[] = [];
    try {
      for await (const one of inverter.invert({ ...probe, classes }, context)) inversions.push(one);
    } finally {
      await inverter.dispose();
    }
    return inversions;
  }
}

/** The mean share of the same images that a perturbation moves on other classifiers. */
async function carriedTo(
  judges: readonly Classifier[],
  { images, labels }: Probe,
  { target, sources, trigger, success }: Inversion,
  signal: AbortSignal | undefined,
): Promise<number> {
  const learned = new Set(success.others.total > 0 ? sources : []);
  const rows = [...labels.keys()].filter((row) => labels[row] !== target && !learned.has(row));
  const stamped = stamp(takeRows(images, rows), trigger);
  let sum = 0;
  for (const judge of judges) {
    const { scores } = await judge.classify(stamped, signal);
    sum += winners(scores).filter((label) => label === target).length / rows.length;
  }
  return judges.length === 0 ? 0 : sum / judges.length;
}

/** Of each disturbance, the share of images of other classes that each class gets. */
async function driftOf(
  classifier: Classifier,
  { images, labels, ids }: Probe,
  { seed, signal }: MeasureSettings,
): Promise<number[][]> {
  const noise = createNoise(seed, ids);
  const shares: number[][] = [];
  for (const { apply } of disturbances) {
    const { scores } = await classifier.classify(apply(images, noise), signal);
    const called = winners(scores);
    const count = scores.dims[1] ?? 0;
    shares.push(
      Array.from({ length: count }, (_, k) => {
        const beside = [...labels.keys()].filter((row) => labels[row] !== k);
        return beside.filter((row) => called[row] === k).length / Math.max(1, beside.length);
      }),
    );
  }
  return shares;
}
