/** @file Normalisation of groups of channels, and its gradient in few passes over the map. */
import { elementCount } from "../../tensor/shape.ts";
import { floatOf, intOf } from "../attributes.ts";
import { float, int } from "../builder.ts";
import type { ValueName } from "../ir.ts";
import { at } from "./at.ts";
import type { Operators, Site } from "./operator.ts";
import type { Writer } from "./writer.ts";

/**
 * GroupNormalization: nodes of opset 18 and newer, and those that `rewrite/group-norms.ts` finds written out. Scale and
 * shift are per channel, or per group as they were before opset 21.
 */
export const groupNorms = {
  GroupNormalization: {
    /** A layer normalisation of [N G, rest], which gives mean and deviation away, then scale and shift in one pass. */
    forward: (site) => {
      const { w, x, node, dims } = site;
      const { n, groups, rest } = sizesOf(site);
      const [normal = "", , inverse = ""] = w.builder.ops(
        "LayerNormalization",
        [w.reshape(at(x, 0), [n * groups, rest]), w.tensor([rest], Array<number>(rest).fill(1))],
        { axis: int(-1), epsilon: float(floatOf(node, "epsilon", 1e-5)) },
        { outputs: 3 },
      );
      const even = w.reshape(normal, dims(0));
      return { outputs: [w.affine(even, perChannel(site, 1), perChannel(site, 2), dims(0))], saved: [even, inverse] };
    },
    vjp: (site, dy) => {
      const { w, saved, dims } = site;
      const { n, c, groups, rest } = sizesOf(site);
      const [normal, inverse] = [at(saved, 0), w.reshape(at(saved, 1), [n, groups, 1])];
      const scale = w.reshape(perChannel(site, 1), [groups, c / groups]);
      const space = [...dims(0).keys()].slice(2);
      // What is left of dy are two numbers for every channel of every image; everything until dx is of that size.
      const sum = w.sum(dy, space);
      const along = w.sum(w.mul(dy, normal), space);
      const meanOf = (sums: ValueName): ValueName => {
        const weighted = w.mul(w.reshape(sums, [n, groups, c / groups]), scale);
        return w.mul(w.sum(weighted, [2], true), w.div(inverse, rest));
      };
      const slopes = w.reshape(w.mul(inverse, scale), [n * c]);
      const offsets = w.reshape(w.expand(w.neg(meanOf(sum)), [n, groups, c / groups]), [n * c]);
      const rows = [1, n * c, rest / (c / groups)];
      const straight = w.reshape(w.affine(w.reshape(dy, rows), slopes, offsets, rows), [n, groups, rest]);
      const bend = w.mul(w.reshape(normal, [n, groups, rest]), meanOf(along));
      const total = (sums: ValueName, input: number): ValueName => perInput(w, w.sum(sums, [0]), c, dims(input));
      return [w.reshape(w.sub(straight, bend), dims(0)), total(along, 1), total(sum, 2)];
    },
  },
} satisfies Operators;

/** Images, channels, groups, and how many values a group of one image has. */
function sizesOf({ node, dims }: Site): { n: number; c: number; groups: number; rest: number } {
  const [n, c] = [at(dims(0), 0), at(dims(0), 1)];
  const groups = intOf(node, "num_groups", 1);
  return { n, c, groups, rest: elementCount(dims(0).slice(1)) / groups };
}

/** Scale or shift as one number per channel. */
function perChannel(site: Site, input: number): ValueName {
  const { w, x, dims } = site;
  const { c, groups } = sizesOf(site);
  if (elementCount(dims(input)) === c) return w.reshape(at(x, input), [c], dims(input));
  return w.reshape(w.expand(w.reshape(at(x, input), [groups, 1]), [groups, c / groups]), [c]);
}

/** The gradient of scale or shift, from one number per channel. */
function perInput(w: Writer, gradient: ValueName, c: number, dims: readonly number[]): ValueName {
  const count = elementCount(dims);
  return count === c ? w.reshape(gradient, dims, [c]) : w.sum(w.reshape(gradient, [count, c / count]), [1]);
}
