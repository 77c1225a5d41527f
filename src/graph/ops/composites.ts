/** @file Operators that are made of others, and are differentiated as those. Dims are not known here: shapes are computed. */

import { FormatError } from "../../core/errors.ts";
import { floatOf, intOf, intsOf } from "../attributes.ts";
import { float, type GraphBuilder } from "../builder.ts";
import type { GraphNode, ValueName } from "../ir.ts";
import { labelOf } from "../names.ts";
import type { Operators } from "./operator.ts";

/** Normalisation of groups of channels, and of whole batches without scale. */
export const composites = {
  /** (x - mean) / (deviation + 1e-9) */
  MeanVarianceNormalization: {
    decompose: (b, node) => {
      const axes = b.ints(...intsOf(node, "axes", [0, 2, 3]));
      const x = inputOf(node, 0);
      const centred = b.op("Sub", [x, b.op("ReduceMean", [x, axes])]);
      const deviation = b.op("Sqrt", [b.op("ReduceMean", [b.op("Mul", [centred, centred]), axes])]);
      return [b.op("Div", [centred, b.op("Add", [deviation, like(b, x, [1e-9])])])];
    },
  },
  /** [N, C, …] → [N, G, rest], normalised per instance, and back; scale and shift were per group before version 21. */
  GroupNormalization: {
    decompose: (b, node, opset) => {
      const x = inputOf(node, 0);
      const groups = intOf(node, "num_groups", 1);
      const perGroup = opset < 21;
      const dims = b.op("Shape", [x]);
      const [ones, zeros] = [like(b, x, Array<number>(groups).fill(1)), like(b, x, Array<number>(groups).fill(0))];
      const grouped = b.op("Reshape", [x, b.ints(0, groups, -1)]);
      const epsilon = float(floatOf(node, "epsilon", 1e-5));
      const normal = b.op("InstanceNormalization", [grouped, ones, zeros], { epsilon });
      const images = b.op("Slice", [dims, b.ints(0), b.ints(perGroup ? 1 : 2), b.ints(0)]);
      const rows = b.op("Concat", [images, perGroup ? b.ints(groups, -1) : b.ints(-1)], {
        axis: { kind: "int", value: 0 },
      });
      const column = (i: number): ValueName => b.op("Unsqueeze", [inputOf(node, i), b.ints(1)]);
      const scaled = b.op("Add", [b.op("Mul", [b.op("Reshape", [normal, rows]), column(1)]), column(2)]);
      return [b.op("Reshape", [scaled, dims])];
    },
  },
} satisfies Operators;

/** An input that the operator must have: nobody has checked the node yet. @throws FormatError when it is left out. */
function inputOf(node: GraphNode, index: number): ValueName {
  const value = node.inputs[index] ?? "";
  if (value === "") throw new FormatError(`graph: expected an input ${index} of ${labelOf(node)}, got none.`);
  return value;
}

/** A vector of the type of x. */
function like(b: GraphBuilder, x: ValueName, values: readonly number[]): ValueName {
  const data = Float32Array.from(values);
  return b.op("CastLike", [b.constant({ dtype: "float32", dims: [values.length], data }), x]);
}
