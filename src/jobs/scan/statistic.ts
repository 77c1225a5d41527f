/**
 * @file From measures to p-values. A model is compared with reference classifiers that are known to be clean: class by
 * class, because some classes are easy to reach in every model, and in standard deviations over all of them.
 *
 * The p-value is conformal: each of the n + 1 models (the suspect and n references) is scored against the n others by the
 * same rule, so that a clean suspect that is like its references is as likely as any of them to stand at the top.
 */
import { OptionError } from "../../core/errors.ts";
import { LEAST_CLASSES } from "../../invert/outliers.ts";
import { medianOf } from "../../metrics/anomaly.ts";
import { conformalPValue } from "../../metrics/conformal.ts";
import type { ClassMeasure, ModelMeasures } from "./measures.ts";

/**
 * A figure that varies less among the models is taken to vary by so much: shares and logarithms alike. Of disturbed images
 * it is more, because what a few of them are called depends on the network, and a planted class takes most of them.
 */
const LEAST_DEVIATION = { trigger: 0.02, warp: 0.02, drift: 0.1 } as const satisfies Record<keyof Features, number>;

/** How far a class stands out, in standard deviations over the models. */
export interface ClassScore {
  readonly class: number;
  /** What counts: the largest of the three below. */
  readonly score: number;
  /** Of a trigger: success beyond the judges', small norm, small mask; their sum over the root of three. */
  readonly trigger: number;
  /** Of a smooth warp that moves images to it. */
  readonly warp: number;
  /** Of the disturbance under which most images fall into it. */
  readonly drift: number;
}

/** A model among its references. */
export interface Comparison {
  readonly classes: readonly ClassScore[];
  /** Of each reference, the score of its most suspicious class. */
  readonly references: readonly number[];
  /** Of the model: how often a clean one has so suspicious a class. */
  readonly pValue: number;
  /** Of each class of `classes`, by the same null: a class below the stated rate is one that no clean model has. */
  readonly pValues: readonly number[];
}

/** The smallest p-value that so many references can give. */
export function leastPValue(references: number): number {
  return 1 / (references + 1);
}

/**
 * Compares a model with references. @throws OptionError when a reference lacks a class that the suspect has, or there are
 * fewer than two.
 */
export function compareModels(suspect: ModelMeasures, references: readonly ModelMeasures[]): Comparison {
  if (references.length < 2) {
    throw new OptionError(`scan: expected at least 2 reference classifiers to compare with, got ${references.length}.`);
  }
  const classes = suspect.classes.map((one) => one.class);
  const all = [suspect, ...references].map((model) => featuresOf(model, classes));
  const scales = { trigger: scalesOf(all, "trigger"), warp: scalesOf(all, "warp"), drift: scalesOf(all, "drift") };
  const scores = all.map((own, i) => {
    const others = all.filter((_, other) => other !== i);
    return scoresOf(own, others, { classes, scales });
  });
  const [own = [], ...others] = scores;
  const maxima = others.map((list) => highest(list));
  return {
    classes: own,
    references: maxima,
    pValue: conformalPValue(maxima, highest(own)),
    pValues: own.map(({ score }) => conformalPValue(maxima, score)),
  };
}

/** The figures of one class that are compared: all of them are larger where there is a backdoor. */
interface Features {
  readonly trigger: readonly number[];
  readonly warp: readonly number[];
  readonly drift: readonly number[];
}

/**
 * Where there are classes enough for a median, figures of a trigger are taken beside it: how easily a model is moved at all
 * depends on how it was trained.
 */
function featuresOf({ classes: measures }: ModelMeasures, classes: readonly number[]): Features[] {
  const features = classes.map((k) => {
    const measure = measures.find((one) => one.class === k);
    if (measure === undefined) {
      throw new OptionError(`scan: expected references that were measured for class ${k}, got one that was not.`);
    }
    return { trigger: triggerFeatures(measure), warp: [measure.warp], drift: measure.drift };
  });
  if (classes.length < LEAST_CLASSES) return features;
  const medians = (features[0]?.trigger ?? []).map((_, f) => medianOf(features.map(({ trigger }) => trigger[f] ?? 0)));
  return features.map((one) => ({ ...one, trigger: one.trigger.map((value, f) => value - (medians[f] ?? 0)) }));
}

function triggerFeatures({ success, carried, norm, mask }: ClassMeasure): number[] {
  return [success - carried, -Math.log(Math.max(norm, 1e-6)), -Math.log(Math.max(mask, 1e-6))];
}

function scoresOf(
  own: readonly Features[],
  others: readonly (readonly Features[])[],
  {
    classes,
    scales,
  }: { readonly classes: readonly number[]; readonly scales: Readonly<Record<keyof Features, Scales>> },
): ClassScore[] {
  const standard = (kind: keyof Features): number[][] => standardised(own, others, { kind, scales: scales[kind] });
  const [triggers, warps, drifts] = [standard("trigger"), standard("warp"), standard("drift")];
  return classes.map((k, c) => {
    const parts = triggers[c] ?? [];
    const trigger = parts.reduce((sum, value) => sum + value, 0) / Math.sqrt(Math.max(1, parts.length));
    const warp = warps[c]?.[0] ?? 0;
    const drift = (drifts[c] ?? []).reduce((high, value) => Math.max(high, value), 0);
    return { class: k, trigger, warp, drift, score: Math.max(trigger, warp, drift) };
  });
}

/** Deviations of each figure of each class. */
type Scales = readonly (readonly number[])[];

/**
 * Deviations over all models, the suspect included, so that all are measured alike and one that stands out does not make the
 * others look closer together. Half of the variance is that of the class, half is pooled over the classes: a single class
 * has too few models for one of its own.
 */
function scalesOf(all: readonly (readonly Features[])[], kind: keyof Features): Scales {
  const [first = []] = all;
  const count = first[0]?.[kind].length ?? 0;
  const variances = first.map((_, c) =>
    Array.from({ length: count }, (_, f) => varianceOf(all.map((model) => model[c]?.[kind][f] ?? 0))),
  );
  const pooled = Array.from({ length: count }, (_, f) => meanOf(variances.map((list) => list[f] ?? 0)));
  return variances.map((list) =>
    list.map((variance, f) => Math.max(LEAST_DEVIATION[kind], Math.sqrt((variance + (pooled[f] ?? 0)) / 2))),
  );
}

/** Each figure minus its mean over the other models for the same class, in deviations. */
function standardised(
  own: readonly Features[],
  others: readonly (readonly Features[])[],
  { kind, scales }: { readonly kind: keyof Features; readonly scales: Scales },
): number[][] {
  return own.map((features, c) =>
    features[kind].map((value, f) => {
      const mean = meanOf(others.map((model) => model[c]?.[kind][f] ?? 0));
      // Rounded: equal models must tie, in whatever order their figures were added.
      return Math.round(((value - mean) / (scales[c]?.[f] ?? 1)) * 1e9) / 1e9;
    }),
  );
}

function varianceOf(values: readonly number[]): number {
  const mean = meanOf(values);
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, values.length - 1);
}

function highest(scores: readonly ClassScore[]): number {
  return scores.reduce((high, { score }) => Math.max(high, score), Number.NEGATIVE_INFINITY);
}

/** The mean; 0 of nothing. */
export function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}
