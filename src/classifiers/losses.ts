/** @file Losses of a classification, written behind its scores. Each gives one number per image. */
import { OptionError } from "../core/errors.ts";
import { type GraphBuilder, int } from "../graph/builder.ts";
import type { ValueName } from "../graph/ir.ts";
import type { ScoreKind } from "./classifier.ts";

/** What a loss reads. */
export interface LossInputs {
  /** [N, K] */
  readonly scores: ValueName;
  /** [N, K]: how much of each class is wanted; rows sum to one. */
  readonly targets: ValueName;
  /** What the scores are. */
  readonly kind: ScoreKind;
}

/** Writes a loss and returns it, float32 [N]. */
export type Loss = (b: GraphBuilder, inputs: LossInputs) => ValueName;

/** Losses by name. */
export const losses = { "cross-entropy": crossEntropy, margin } as const satisfies Record<string, Loss>;

/** The name of a loss. */
export type LossName = keyof typeof losses;

/** `-sum of t log p`: large where the target is unlikely. */
function crossEntropy(b: GraphBuilder, { scores, targets, kind }: LossInputs): ValueName {
  const logs = kind === "logits" ? b.op("LogSoftmax", [scores], { axis: int(-1) }) : logOf(b, scores);
  return b.op("Neg", [rowSum(b, b.op("Mul", [targets, logs]))]);
}

/**
 * The highest other score minus that of the target class: above zero where the target has lost.
 * @source Carlini & Wagner 2017, "Towards Evaluating the Robustness of Neural Networks", section VI-A, f6 without the max.
 */
function margin(b: GraphBuilder, { scores, targets, kind }: LossInputs): ValueName {
  const values = kind === "logits" ? scores : logOf(b, scores);
  const own = rowSum(b, b.op("Mul", [targets, values]));
  const isOther = b.op("Equal", [targets, b.float(0)]);
  const others = b.op("Where", [isOther, values, b.float(-1e9)]);
  return b.op("Sub", [b.op("ReduceMax", [others, b.ints(1)], { keepdims: int(0) }), own]);
}

/** Logarithms of probabilities; a probability of zero counts as the smallest above it. */
function logOf(b: GraphBuilder, probabilities: ValueName): ValueName {
  return b.op("Log", [b.op("Max", [probabilities, b.float(1e-30)])]);
}

function rowSum(b: GraphBuilder, values: ValueName): ValueName {
  return b.op("ReduceSum", [values, b.ints(1)], { keepdims: int(0) });
}

/** @throws OptionError for labels: the winner alone has no gradient. */
export function requireGradientScores(kind: ScoreKind): void {
  if (kind !== "labels") return;
  throw new OptionError("classifier: expected scores that have a gradient (logits, probabilities), got labels.");
}
