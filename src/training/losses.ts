/** @file What is made small in training: losses of one number, written behind a network. */
import type { ScoreKind } from "../classifiers/classifier.ts";
import { scoreRows } from "../classifiers/image-graph.ts";
import { losses } from "../classifiers/losses.ts";
import { OptionError } from "../core/errors.ts";
import { type GraphBuilder, int } from "../graph/builder.ts";
import type { ValueName } from "../graph/ir.ts";
import type { WriteLoss } from "./step.ts";

/** Inputs of {@link crossEntropyLoss}. A model has other names. */
export const TARGETS = "untrigger.targets";
export const ROW_WEIGHTS = "untrigger.weights";

/** The mean over all numbers of a value. */
function meanOf(b: GraphBuilder, value: ValueName): ValueName {
  return b.op("ReduceMean", [value], { keepdims: int(0) });
}

/**
 * Cross-entropy, weighted: the mean over rows of `weights * -sum of targets * log p`. Adds the inputs
 * {@link TARGETS} [N, K] (rows sum to one) and {@link ROW_WEIGHTS} [N].
 * @param kind what the scores are. @throws FormatError when the output is no score per class and image.
 */
export function crossEntropyLoss(output: ValueName, kind: ScoreKind = "logits"): WriteLoss {
  return (b, outputs) => {
    const found = requireOutput(outputs, output);
    const scores = scoreRows(b, found, found.dims[0] ?? 0);
    const targets = b.input(TARGETS, "float32", scores.dims);
    const weights = b.input(ROW_WEIGHTS, "float32", scores.dims.slice(0, 1));
    const rows = losses["cross-entropy"](b, { scores: scores.value, targets, kind });
    return meanOf(b, b.op("Mul", [weights, rows]));
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

/** An output of the network. @throws OptionError when it has none of that name. */
export function requireOutput(outputs: Parameters<WriteLoss>[1], output: ValueName): Parameters<WriteLoss>[1][string] {
  const found = outputs[output];
  if (found !== undefined) return found;
  throw new OptionError(
    `training: expected an output "${output}", got ${Object.keys(outputs).join(", ") || "a network without outputs"}.`,
  );
}
