/** @file Operators that are made of others, and are differentiated as those. Dims are not known here: shapes are computed. */

import { FormatError } from "../../core/errors.ts";
import { intsOf } from "../attributes.ts";
import type { GraphBuilder } from "../builder.ts";
import type { GraphNode, ValueName } from "../ir.ts";
import { labelOf } from "../names.ts";
import type { Operators } from "./operator.ts";

/** Normalisation of whole batches without scale. */
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
