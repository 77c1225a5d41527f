/** @file Gradients of operators that move values and change none. */

import { intOf, intsOf, stringOf } from "../attributes.ts";
import { int, string } from "../builder.ts";
import type { ValueName } from "../ir.ts";
import { at } from "./at.ts";
import type { DirectOperator, Operators, Site } from "./operator.ts";

/** Gives the values back the dims that they came with. */
const reshaped: DirectOperator = { vjp: ({ w, dims, outDims }, dy) => [w.reshape(dy, dims(0), outDims())] };

/** Reshapes, transposes, joins, splits, repetitions, casts. */
export const layout = {
  Reshape: reshaped,
  Flatten: reshaped,
  Squeeze: reshaped,
  Unsqueeze: reshaped,
  Identity: { vjp: (_, dy) => [dy] },
  Transpose: {
    vjp: ({ w, node, dims }, dy) => {
      const axes = [...dims(0).keys()];
      const perm = intsOf(node, "perm", [...axes].reverse());
      return [
        w.transpose(
          dy,
          axes.map((axis) => perm.indexOf(axis)),
        ),
      ];
    },
  },
  Expand: { vjp: ({ w, dims, outDims }, dy) => [w.unbroadcast(dy, outDims(), dims(0))] },
  Tile: { vjp: ({ w, dims, outDims }, dy) => [tileGradient(w, dy, dims(0), outDims())] },
  Cast: { vjp: castBack },
  CastLike: { vjp: castBack },
  Concat: {
    vjp: (site, dy) => {
      const axis = axisOf(site);
      const lengths = site.x.map((_, i) => at(site.dims(i), axis));
      return splitBy(site, dy, { axis, lengths });
    },
  },
  Split: {
    vjp: (site) => {
      const { w, dys } = site;
      const pieces = dys.map((dy, i) => dy ?? w.filled(site.outDims(i)));
      return [w.concat(pieces, axisOf(site))];
    },
  },
  DepthToSpace: { vjp: (site, dy) => [spaceToDepth(site, dy)] },
  SpaceToDepth: {
    vjp: ({ w, node }, dy) => [
      w.op("DepthToSpace", [dy], { blocksize: int(intOf(node, "blocksize", 1)), mode: string("DCR") }),
    ],
  },
  CumSum: {
    vjp: ({ w, node, x }, dy) => {
      const [exclusive, reverse] = [intOf(node, "exclusive", 0), 1 - intOf(node, "reverse", 0)];
      return [w.op("CumSum", [dy, at(x, 1)], { exclusive: int(exclusive), reverse: int(reverse) })];
    },
  },
  Trilu: { vjp: ({ w, node, x }, dy) => [w.op("Trilu", [dy, ...x.slice(1)], node.attributes)] },
  Dropout: {
    forward: (site) => {
      const outputs = site.w.builder.ops("Dropout", site.x, site.node.attributes, { outputs: 2 });
      return { outputs, saved: [at(outputs, 1)] };
    },
    /** The mask says what was kept; where nothing is dropped (no training mode) it is all true and so is the scale 1. */
    vjp: ({ w, x, has, saved: [mask = ""] }, dy) => {
      if (!has(2)) return [dy];
      const kept = w.sub(1, has(1) ? at(x, 1) : 0.5);
      const scale = w.where(at(x, 2), w.div(1, kept), 1);
      return [w.mul(w.mul(dy, w.mask(mask)), scale)];
    },
  },
} satisfies Operators;

/** The axis of an operator that has to name one. */
function axisOf({ node, outDims }: Site): number {
  const axis = intOf(node, "axis", 0);
  return axis < 0 ? axis + outDims().length : axis;
}

function castBack({ w, dtype }: Site, dy: ValueName): (ValueName | undefined)[] {
  const from = dtype(0);
  return [from.startsWith("float") || from === "bfloat16" ? w.cast(dy, from) : undefined];
}

function splitBy(
  { w }: Site,
  dy: ValueName,
  { axis, lengths }: { axis: number; lengths: readonly number[] },
): readonly ValueName[] {
  if (lengths.length === 1) return [dy];
  const { builder } = w;
  return builder.ops("Split", [dy, builder.ints(...lengths)], { axis: int(axis) }, { outputs: lengths.length });
}

/** Every axis of length d repeated r times is summed over the r. */
function tileGradient(w: Site["w"], dy: ValueName, from: readonly number[], to: readonly number[]): ValueName {
  const split = from.flatMap((dim, axis) => [dim === 0 ? 0 : at(to, axis) / dim, dim]);
  const repeats = from.flatMap((dim, axis) => (at(to, axis) === dim ? [] : [2 * axis]));
  const sum = w.sum(w.reshape(dy, split, to), repeats);
  return w.reshape(sum, from);
}

/** The inverse of DepthToSpace. The CRD order has no operator of its own. */
function spaceToDepth({ w, node, dims }: Site, dy: ValueName): ValueName {
  const block = intOf(node, "blocksize", 1);
  if (stringOf(node, "mode", "DCR") === "DCR") return w.op("SpaceToDepth", [dy], { blocksize: int(block) });
  const [n, c, h, wide] = [at(dims(0), 0), at(dims(0), 1), at(dims(0), 2), at(dims(0), 3)];
  const blocks = w.reshape(dy, [n, c / block ** 2, h, block, wide, block]);
  return w.reshape(w.transpose(blocks, [0, 1, 3, 5, 2, 4]), dims(0));
}
