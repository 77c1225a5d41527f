/** @file Makes a graph ready to be differentiated: normal form, one batch size, every shape known. */
import { type Facts, factsAt } from "../facts.ts";
import type { Graph, ValueName } from "../ir.ts";
import { type InputDims, probe, type RunModel } from "../probe.ts";
import { fold } from "./fold.ts";
import { normalise } from "./normalise.ts";

/** Settings of {@link specialise}. */
export interface SpecialiseOptions {
  /** How many rows the graph will work on; symbolic dims become this. A graph of fixed batch keeps its own. */
  readonly batch: number;
  /** Dims of the inputs at a batch size, where not every symbolic dim is the batch. */
  readonly dims?: InputDims | undefined;
  /** Initializers that will change: what depends on them is not folded. */
  readonly keep?: ReadonlySet<ValueName> | undefined;
}

/** A graph of which everything is known that differentiation asks. */
export interface Specialised {
  readonly graph: Graph;
  readonly facts: Facts;
}

/**
 * Normalises a graph, probes it, and folds what is constant at the batch size.
 * @throws what `normalise`, `probe` and the runs throw.
 */
export async function specialise(
  graph: Graph,
  run: RunModel,
  { batch, dims, keep = new Set() }: SpecialiseOptions,
): Promise<Specialised> {
  const normal = normalise(graph);
  const facts = factsAt(await probe(normal, run, dims), batch);
  return { graph: await fold(normal, { facts, run, keep }), facts };
}
