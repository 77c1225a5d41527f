/** @file What is known of a graph's values at one batch size. Facts come from probing, never from inference. */
import type { DType } from "../tensor/tensor.ts";
import type { ValueName } from "./ir.ts";
import type { ProbedValue } from "./probe.ts";

/** Type and dims of one value. */
export interface Fact {
  readonly dtype: DType;
  readonly dims: readonly number[];
}

/** Type and dims of every value of a graph. */
export type Facts = ReadonlyMap<ValueName, Fact>;

/** The facts of probed values at a batch size. */
export function factsAt(values: ReadonlyMap<ValueName, ProbedValue>, batch: number): Facts {
  return new Map([...values].map(([name, { dtype, dims }]) => [name, { dtype, dims: dims(batch) }]));
}
