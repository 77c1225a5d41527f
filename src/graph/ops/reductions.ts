/** @file Gradients of reductions: the gradient is spread over what was reduced. */
import { elementCount } from "../../tensor/shape.ts";
import { intOf } from "../attributes.ts";
import type { ValueName } from "../ir.ts";
import { at } from "./at.ts";
import type { DirectOperator, Operators, Site } from "./operator.ts";
import type { Writer } from "./writer.ts";

/** What a reduction's rule is given besides dy: y and dy keep the reduced axes with length 1. */
interface Reduction {
  readonly x: ValueName;
  readonly y: ValueName;
  readonly axes: readonly number[];
  /** Dims of x, which the gradient must have. */
  readonly dims: readonly number[];
  /** How many values become one. */
  readonly count: number;
}

/** Sums, means, norms, extremes over axes. */
export const reductions = {
  ReduceSum: reduction((w, dy, { dims }) => w.expand(dy, dims)),
  ReduceMean: reduction((w, dy, { dims, count }) => w.expand(w.div(dy, count), dims)),
  ReduceL1: reduction((w, dy, { x }) => w.mul(dy, w.op("Sign", [x]))),
  /** Zero where the norm is zero, as PyTorch. */
  ReduceL2: reduction((w, dy, { x, y }) => w.mul(x, w.div(dy, w.where(w.op("Equal", [y, 0]), 1, y)))),
  ReduceSumSquare: reduction((w, dy, { x }) => w.mul(x, w.mul(dy, 2))),
  ReduceLogSum: reduction((w, dy, { y, dims }) => w.expand(w.div(dy, w.op("Exp", [y])), dims)),
  ReduceLogSumExp: reduction((w, dy, { x, y }) => w.mul(dy, w.op("Exp", [w.sub(x, y)]))),
  ReduceMax: reduction(sharedExtreme),
  ReduceMin: reduction(sharedExtreme),
  ReduceProd: reduction(product),
} satisfies Operators;

function reduction(rule: (w: Writer, dy: ValueName, values: Reduction) => ValueName): DirectOperator {
  return {
    vjp: (site, dy) => {
      const { w } = site;
      const dims = site.dims(0);
      const axes = reducedAxes(site);
      const kept = dims.map((dim, axis) => (axes.includes(axis) ? 1 : dim));
      const spread = (value: ValueName): ValueName => w.reshape(value, kept, site.outDims());
      const count = elementCount(axes.map((axis) => at(dims, axis)));
      return [rule(w, spread(dy), { x: at(site.x, 0), y: spread(at(site.y, 0)), axes, dims, count })];
    },
  };
}

/** The axes that are reduced, not negative; all of them where none is named. */
function reducedAxes(site: Site): number[] {
  const rank = site.dims(0).length;
  const named = site.has(1) ? site.constantInts(1) : [];
  if (named.length > 0) return named.map((axis) => (axis < 0 ? axis + rank : axis));
  return intOf(site.node, "noop_with_empty_axes", 0) === 1 ? [] : [...Array(rank).keys()];
}

/** Ties share evenly. */
function sharedExtreme(w: Writer, dy: ValueName, { x, y, axes }: Reduction): ValueName {
  const hits = w.equal(x, y);
  return w.mul(hits, w.div(dy, w.sum(hits, axes, true)));
}

/** The product of the others: y / x where nothing is zero; where exactly one value is, only that one has a gradient. */
function product(w: Writer, dy: ValueName, { x, axes }: Reduction): ValueName {
  if (axes.length === 0) return dy;
  const zero = w.op("Equal", [x, 0]);
  const filled = w.where(zero, 1, x);
  const others = w.op("ReduceProd", [filled, w.builder.ints(...axes)]);
  const zeros = w.sum(w.mask(zero), axes, true);
  const alone = w.where(w.op("Equal", [zeros, 1]), others, 0);
  const none = w.where(w.op("Equal", [zeros, 0]), w.div(others, filled), 0);
  return w.mul(dy, w.where(zero, alone, none));
}
