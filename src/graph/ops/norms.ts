/** @file Gradients of normalisation over the values of one image: layers, instances, channels. */
import { elementCount } from "../../tensor/shape.ts";
import { toNumbers } from "../../tensor/tensor.ts";
import { floatOf, intOf } from "../attributes.ts";
import { float, int } from "../builder.ts";
import type { ValueName } from "../ir.ts";
import { at } from "./at.ts";
import type { Operators, Site } from "./operator.ts";
import type { Writer } from "./writer.ts";

/** LayerNormalization and InstanceNormalization. */
export const norms = {
  /** Mean and inverse deviation are outputs that the gradient uses. */
  LayerNormalization: {
    forward: ({ w, x, node }) => {
      const outputs = w.builder.ops("LayerNormalization", x, node.attributes, { outputs: 3 });
      return { outputs, saved: outputs.slice(1) };
    },
    vjp: (site, dy) => {
      const { w, x, node, saved, dys } = site;
      const dims = site.dims(0);
      const axis = intOf(node, "axis", -1);
      const first = axis < 0 ? axis + dims.length : axis;
      const axes = [...dims.keys()].slice(first);
      const [mean, inverse] = [at(saved, 0), at(saved, 1)];
      const centred = w.sub(at(x, 0), mean);
      const normal = w.mul(centred, inverse);
      const scaled = w.mul(dy, at(x, 1));
      const count = elementCount(dims.slice(first));
      const extra = statisticsGradient(w, { dMean: dys[1], dInverse: dys[2], centred, inverse, count });
      const dx = normalisedGradient(w, scaled, { normal, inverse, axes });
      return [
        extra.reduce((sum, term) => w.add(sum, term), dx),
        w.unbroadcast(w.mul(dy, normal), dims, site.dims(1)),
        site.has(2) ? w.unbroadcast(dy, dims, site.dims(2)) : undefined,
      ];
    },
  },
  /** Written as a layer normalisation of [N C, H W], which gives mean and deviation away. */
  InstanceNormalization: {
    forward: (site) => {
      const { w, x, node, dims } = site;
      const [n, c] = [at(dims(0), 0), at(dims(0), 1)];
      const size = elementCount(dims(0).slice(2));
      const [normal = "", , inverse = ""] = w.builder.ops(
        "LayerNormalization",
        [w.reshape(at(x, 0), [n * c, size]), w.tensor([size], Array<number>(size).fill(1))],
        { axis: int(-1), epsilon: float(floatOf(node, "epsilon", 1e-5)) },
        { outputs: 3 },
      );
      const even = w.reshape(normal, dims(0));
      const outputs = [isPlain(site) ? even : w.affine(even, at(x, 1), at(x, 2), dims(0))];
      return { outputs, saved: [normal, inverse] };
    },
    vjp: (site, dy) => {
      const { w, x, dims, saved } = site;
      const [n, c] = [at(dims(0), 0), at(dims(0), 1)];
      const rows = [n * c, elementCount(dims(0).slice(2))];
      const [normal, inverse] = [at(saved, 0), at(saved, 1)];
      const scaled = w.reshape(isPlain(site) ? dy : w.mul(dy, perChannel(w, at(x, 1), dims(0))), rows);
      const dx = normalisedGradient(w, scaled, { normal, inverse, axes: [1] });
      const others = [...dims(0).keys()].filter((axis) => axis !== 1);
      return [w.reshape(dx, dims(0)), w.sum(w.mul(dy, w.reshape(normal, dims(0))), others), w.sum(dy, others)];
    },
  },
} satisfies Operators;

/** Whether an instance normalisation neither scales nor shifts, as where it stands for another one. */
function isPlain(site: Site): boolean {
  const isFilled = (input: number, value: number): boolean => {
    const constant = site.constant(input);
    return constant !== undefined && toNumbers(constant).every((entry) => entry === value);
  };
  return isFilled(1, 1) && isFilled(2, 0);
}

/** inv (g - mean(g) - n mean(g n)) for n = (x - mean(x)) inv. */
function normalisedGradient(
  w: Writer,
  g: ValueName,
  { normal, inverse, axes }: { normal: ValueName; inverse: ValueName; axes: readonly number[] },
): ValueName {
  const along = w.mul(normal, w.mean(w.mul(g, normal), axes));
  return w.mul(inverse, w.sub(w.sub(g, w.mean(g, axes)), along));
}

interface Statistics {
  readonly dMean: ValueName | undefined;
  readonly dInverse: ValueName | undefined;
  readonly centred: ValueName;
  readonly inverse: ValueName;
  readonly count: number;
}

/** What reaches x through the mean and through the inverse deviation, when those are differentiated too. */
function statisticsGradient(w: Writer, { dMean, dInverse, centred, inverse, count }: Statistics): ValueName[] {
  const terms: ValueName[] = [];
  if (dMean !== undefined) terms.push(w.div(dMean, count));
  if (dInverse !== undefined) {
    const slope = w.div(w.mul(dInverse, w.mul(inverse, w.square(inverse))), -count);
    terms.push(w.mul(centred, slope));
  }
  return terms;
}

/** A vector over channels, [C], to be broadcast over [N, C, …]. */
export function perChannel(w: Writer, vector: ValueName, dims: readonly number[]): ValueName {
  return w.reshape(vector, [at(dims, 1), ...dims.slice(2).map(() => 1)]);
}
