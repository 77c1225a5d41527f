/** @file Gradients of Softmax and LogSoftmax along one axis. */
import { intOf } from "../attributes.ts";
import type { GraphNode } from "../ir.ts";
import { at } from "./at.ts";
import type { Operators } from "./operator.ts";

/** Normalised exponentials. */
export const softmaxes = {
  /** y (dy - sum(dy y)) */
  Softmax: {
    vjp: ({ w, node, y: [y = ""], dims }, dy) => {
      const weighted = w.mul(dy, y);
      return [w.sub(weighted, w.mul(y, w.sum(weighted, [axisOf(node, dims(0).length)], true)))];
    },
  },
  /** dy - exp(y) sum(dy) */
  LogSoftmax: {
    vjp: ({ w, node, y, dims }, dy) => {
      const total = w.sum(dy, [axisOf(node, dims(0).length)], true);
      return [w.sub(dy, w.mul(w.op("Exp", [at(y, 0)]), total))];
    },
  },
} satisfies Operators;

function axisOf(node: GraphNode, rank: number): number {
  const axis = intOf(node, "axis", -1);
  return axis < 0 ? axis + rank : axis;
}
