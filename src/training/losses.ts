/** @file What is made small in training: losses of one number, written behind a network. */
import { OptionError } from "../core/errors.ts";
import { type GraphBuilder, int } from "../graph/builder.ts";
import type { ValueName } from "../graph/ir.ts";
import { formatDims } from "../tensor/shape.ts";
import type { WriteLoss } from "./step.ts";

/** The mean over all numbers of a value. */
function meanOf(b: GraphBuilder, value: ValueName): ValueName {
  return b.op("ReduceMean", [value], { keepdims: int(0) });
}

/**
 * Cross-entropy of logits [N, K], weighted: the mean over rows of `weights * -sum of targets * log softmax`. Adds the
 * inputs `targets` [N, K] (rows sum to one) and `weights` [N].
 * @throws OptionError when the output is not [N, K].
 */
export function crossEntropyLoss(output: ValueName): WriteLoss {
  return (b, outputs) => {
    const { name, dims } = requireOutput(outputs, output);
    if (dims.length !== 2) throw new OptionError(`training: expected logits [N, K], got ${formatDims(dims)}.`);
    const targets = b.input("targets", "float32", dims);
    const weights = b.input("weights", "float32", dims.slice(0, 1));
    const logs = b.op("LogSoftmax", [name], { axis: int(-1) });
    const rows = b.op("ReduceSum", [b.op("Mul", [targets, logs]), b.ints(1)], { keepdims: int(0) });
    return b.op("Neg", [meanOf(b, b.op("Mul", [weights, rows]))]);
  };
}

/** Mean squared difference between an output and the new input `target`, which has its dims. */
export function squaredLoss(output: ValueName, target: string): WriteLoss {
  return (b, outputs) => {
    const { name, dims } = requireOutput(outputs, output);
    const wanted = b.input(target, "float32", dims);
    const error = b.op("Sub", [name, wanted]);
    return meanOf(b, b.op("Mul", [error, error]));
  };
}

function requireOutput(outputs: Parameters<WriteLoss>[1], output: ValueName): Parameters<WriteLoss>[1][string] {
  const found = outputs[output];
  if (found !== undefined) return found;
  throw new OptionError(
    `training: expected an output "${output}", got ${Object.keys(outputs).join(", ") || "a network without outputs"}.`,
  );
}
