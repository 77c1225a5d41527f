/** @file The gradient of BatchNormalization, with stored statistics and with those of the batch. */
import { elementCount } from "../../tensor/shape.ts";
import { floatOf, intOf } from "../attributes.ts";
import type { ValueName } from "../ir.ts";
import { at } from "./at.ts";
import { perChannel } from "./norms.ts";
import type { Forward, Operators, Site } from "./operator.ts";

/** Normalisation over the batch, per channel. */
export const batchNorm = {
  BatchNormalization: {
    forward: (site) => (isTraining(site) ? trainingForward(site) : undefined),
    vjp: (site, dy) => (isTraining(site) ? trainingGradient(site, dy) : storedGradient(site, dy)),
  },
} satisfies Operators;

function isTraining({ node }: Site): boolean {
  return intOf(node, "training_mode", 0) === 1;
}

function epsilonOf({ node }: Site): number {
  return floatOf(node, "epsilon", 1e-5);
}

/** All axes but that of the channels. */
function othersOf({ dims }: Site): number[] {
  return [...dims(0).keys()].filter((axis) => axis !== 1);
}

/** 1 / sqrt(variance + epsilon) */
function inverseDeviation(site: Site, variance: ValueName): ValueName {
  const { w } = site;
  return w.op("Reciprocal", [w.op("Sqrt", [w.add(variance, epsilonOf(site))])]);
}

/** y = (x - m) s inv + b with m, inv that do not depend on x: vectors are made of two sums over dy. */
function storedGradient(site: Site, dy: ValueName): (ValueName | undefined)[] {
  const { w, x } = site;
  const [scale, mean] = [at(x, 1), at(x, 3)];
  const inverse = inverseDeviation(site, at(x, 4));
  const slope = w.mul(scale, inverse);
  const dx = w.mul(dy, perChannel(w, slope, site.dims(0)));
  if (![1, 2, 3, 4].some((i) => site.needs(i))) return [dx];
  const db = w.sum(dy, othersOf(site));
  const ds = w.mul(w.sub(w.sum(w.mul(dy, at(x, 0)), othersOf(site)), w.mul(mean, db)), inverse);
  const dVariance = w.mul(w.mul(ds, w.mul(slope, inverse)), -0.5);
  return [dx, ds, db, w.neg(w.mul(slope, db)), dVariance];
}

/**
 * ONNX Runtime does not tell the statistics of the batch, so they are computed in front, and the operator is written as
 * what is left of it: one scale and shift. (With momentum 0 its running statistics would be the batch's, but it then
 * writes them over its own inputs, be they constants that others read.) Running statistics are those of the
 * specification: the variance is the population's.
 */
function trainingForward(site: Site): Forward {
  const { w, x, node } = site;
  const [others, count] = [othersOf(site), countOf(site)];
  const mean = w.div(w.sum(at(x, 0), others), count);
  const centred = w.sub(at(x, 0), perChannel(w, mean, site.dims(0)));
  const variance = w.div(w.sum(w.square(centred), others), count);
  const inverse = inverseDeviation(site, variance);
  const y = w.affine(centred, w.mul(at(x, 1), inverse), at(x, 2), site.dims(0));
  const momentum = floatOf(node, "momentum", 0.9);
  const running = (stored: ValueName, current: ValueName): ValueName =>
    w.add(w.mul(stored, momentum), w.mul(current, 1 - momentum));
  return { outputs: [y, running(at(x, 3), mean), running(at(x, 4), variance)], saved: [centred, inverse] };
}

/** s inv (dy - mean(dy) - xc inv^2 mean(dy xc)): dy scaled and shifted, less xc scaled, three passes over the map. */
function trainingGradient(site: Site, dy: ValueName): (ValueName | undefined)[] {
  const { w, x, saved } = site;
  const [others, count, dims] = [othersOf(site), countOf(site), site.dims(0)];
  const [centred, inverse] = [at(saved, 0), at(saved, 1)];
  const sum = w.sum(dy, others);
  const along = w.mul(w.sum(w.mul(dy, centred), others), inverse);
  const slope = w.mul(at(x, 1), inverse);
  const share = w.div(slope, count);
  const straight = w.affine(dy, slope, w.neg(w.mul(share, sum)), dims);
  const bend = w.mul(centred, perChannel(w, w.mul(w.mul(share, along), inverse), dims));
  return [w.sub(straight, bend), along, sum];
}

/** How many values of a channel the statistics are taken of. */
function countOf({ dims }: Site): number {
  return elementCount(dims(0)) / at(dims(0), 1);
}
