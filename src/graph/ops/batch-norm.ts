/** @file The gradient of BatchNormalization, with stored statistics and with those of the batch. */
import { elementCount } from "../../tensor/shape.ts";
import { floatOf, intOf } from "../attributes.ts";
import { float, int } from "../builder.ts";
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
 * ONNX Runtime does not tell the statistics of the batch, so they are computed in front; the operator itself then only
 * scales. Running statistics are those of the specification: the variance is the population's.
 */
function trainingForward(site: Site): Forward {
  const { w, x, node } = site;
  const others = othersOf(site);
  const mean = w.mean(at(x, 0), others);
  const variance = w.mean(w.square(w.sub(at(x, 0), mean)), others);
  const channels = site.dims(1);
  const [m, v] = [w.reshape(mean, channels), w.reshape(variance, channels)];
  const y = w.op("BatchNormalization", [at(x, 0), at(x, 1), at(x, 2), m, v], {
    epsilon: float(epsilonOf(site)),
    training_mode: int(0),
  });
  const momentum = floatOf(node, "momentum", 0.9);
  const running = (stored: ValueName, current: ValueName): ValueName =>
    w.add(w.mul(stored, momentum), w.mul(current, 1 - momentum));
  return { outputs: [y, running(at(x, 3), m), running(at(x, 4), v)], saved: [mean, variance] };
}

/** s inv (dy - mean(dy) - xc inv^2 mean(dy xc)) */
function trainingGradient(site: Site, dy: ValueName): (ValueName | undefined)[] {
  const { w, x, saved } = site;
  const others = othersOf(site);
  const dims = site.dims(0);
  const count = elementCount(others.map((axis) => at(dims, axis)));
  const inverse = inverseDeviation(site, at(saved, 1));
  const centred = w.sub(at(x, 0), at(saved, 0));
  const sum = w.sum(dy, others, true);
  const along = w.sum(w.mul(dy, centred), others, true);
  const bend = w.mul(centred, w.div(w.mul(along, w.square(inverse)), count));
  const slope = w.mul(perChannel(w, at(x, 1), dims), inverse);
  return [
    w.mul(slope, w.sub(w.sub(dy, w.div(sum, count)), bend)),
    w.reshape(w.mul(along, inverse), site.dims(1)),
    w.reshape(sum, site.dims(2)),
  ];
}
