/** @file Every operator that differentiation knows. To add one: write its record in its family's file, or a new one here. */
import { arithmetic } from "./arithmetic.ts";
import { attention } from "./attention.ts";
import { batchNorm } from "./batch-norm.ts";
import { choices } from "./choices.ts";
import { columnSums } from "./col2im.ts";
import { composites } from "./composites.ts";
import { convolutions } from "./conv.ts";
import { sumsOfProducts } from "./einsum.ts";
import { flatOperators } from "./flat.ts";
import { functions } from "./functions.ts";
import { sampling } from "./grid-sample.ts";
import { groupNorms } from "./group-norm.ts";
import { layout } from "./layout.ts";
import { products } from "./matmul.ts";
import { norms } from "./norms.ts";
import type { DirectOperator, Operator, Operators } from "./operator.ts";
import { padding } from "./pad.ts";
import { pools } from "./pools.ts";
import { quantisation } from "./quantisation.ts";
import { rectifiers } from "./rectifiers.ts";
import { reductions } from "./reductions.ts";
import { resizing } from "./resize.ts";
import { softmaxes } from "./softmax.ts";
import { vectorNorms } from "./vector-norms.ts";

/** Operators of the standard domain by name. */
export const operators = {
  ...arithmetic,
  ...functions,
  ...rectifiers,
  ...reductions,
  ...softmaxes,
  ...layout,
  ...choices,
  ...padding,
  ...products,
  ...sumsOfProducts,
  ...convolutions,
  ...columnSums,
  ...pools,
  ...norms,
  ...groupNorms,
  ...batchNorm,
  ...resizing,
  ...vectorNorms,
  ...attention,
  ...sampling,
  ...quantisation,
  ...composites,
  ...flatOperators,
} as const satisfies Operators;

/** The name of a known operator. */
export type OperatorName = keyof typeof operators;

/** The name of an operator through which gradients pass. */
export type SmoothName = {
  [K in OperatorName]: (typeof operators)[K] extends { vjp: "none" } ? never : K;
}[OperatorName];

/** The record of an operator; `undefined` when there is none: nobody has written its rule. */
export function findOperator(op: string, domain: string): Operator | undefined {
  return domain === "" && Object.hasOwn(operators, op) ? operators[op as OperatorName] : undefined;
}

/** The record of an operator that has a rule of its own, or passes no gradient. */
export function findRule(op: string, domain: string): DirectOperator | undefined {
  const operator = findOperator(op, domain);
  return operator !== undefined && "vjp" in operator ? operator : undefined;
}
