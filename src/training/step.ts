/** @file One training step is one graph: forward, loss and all gradients in a single run of the engine. */

import { LOSS, probingWith } from "../classifiers/gradient.ts";
import { OptionError, RuntimeFailure } from "../core/errors.ts";
import type { GraphBuilder } from "../graph/builder.ts";
import { differentiate, gradientName } from "../graph/differentiate.ts";
import type { Fact } from "../graph/facts.ts";
import type { Graph, ValueName } from "../graph/ir.ts";
import type { InputDims } from "../graph/probe.ts";
import { asInputs } from "../graph/rewrite/compose.ts";
import { extend } from "../graph/rewrite/extend.ts";
import { type Specialised, specialise } from "../graph/rewrite/specialise.ts";
import { graphToBytes } from "../graph/to-model.ts";
import type { Feeds, Runtime } from "../runtime/runtime.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { unbiasInto } from "./kernels.ts";
import { gatherInto, type Layout, layoutOf, viewsOf } from "./layout.ts";
import { runningVariances } from "./running-variances.ts";
import type { Trainable } from "./trainable.ts";

/** Writes a loss of one number behind a network: from its outputs, and from inputs that it adds itself. */
export type WriteLoss = (
  b: GraphBuilder,
  outputs: Readonly<Record<ValueName, Fact & { name: ValueName }>>,
) => ValueName;

/** How a step is made. */
export interface StepSettings {
  readonly runtime: Runtime;
  /** Rows of every batch. */
  readonly batch: number;
  readonly loss: WriteLoss;
  /** Dims of the inputs at a batch size, where not every symbolic dim is the batch. */
  readonly dims?: InputDims | undefined;
  /** Threads inside one run. */
  readonly threads?: number | undefined;
}

/** What one step found out. */
export interface StepResult {
  readonly loss: number;
  /** The network's own outputs. */
  readonly outputs: Readonly<Record<ValueName, Tensor>>;
}

/** A training step that is ready to run. Whoever opens it disposes it. */
export interface TrainingStep {
  readonly batch: number;
  /** Where the weights lie in `weights` and `gradient`, and the running statistics in `statistics`. */
  readonly weights: Layout;
  readonly statistics: Layout;
  /** Weights and statistics as the network had them when the step was opened; memory of their own. */
  initial(): { weights: Float32Array; statistics: Float32Array };
  /**
   * Computes the loss of a batch and its gradient by the weights.
   * @param feeds the network's inputs and those of the loss. `gradient` and `statistics` are overwritten.
   */
  run(
    state: { readonly weights: Float32Array; readonly statistics: Float32Array },
    feeds: Feeds,
    into: { readonly gradient: Float32Array; readonly statistics: Float32Array },
  ): Promise<StepResult>;
  dispose(): Promise<void>;
}

/**
 * Opens a training step.
 * @throws UnsupportedOpError when an operator between the loss and a weight has no gradient; OptionError when the network
 * takes another batch size than asked for.
 */
export async function openStep(net: Trainable, settings: StepSettings): Promise<TrainingStep> {
  const { runtime, batch, threads } = settings;
  const weights = layoutOf(pick(net.graph, net.weights));
  const statistics = layoutOf(pick(net.graph, [...net.statistics.keys()]));
  const fixed = await atBatch(net, settings);
  const variances = runningVariances(net, statistics, fixed);
  const session = await runtime.load(graphToBytes(await stepGraph(net, fixed, settings)), { threads });

  async function run(
    state: { readonly weights: Float32Array; readonly statistics: Float32Array },
    feeds: Feeds,
    into: { readonly gradient: Float32Array; readonly statistics: Float32Array },
  ): Promise<StepResult> {
    const all = { ...feeds, ...viewsOf(weights, state.weights), ...viewsOf(statistics, state.statistics) };
    const asked = session.inputs.flatMap(({ name }) => (all[name] === undefined ? [] : [[name, all[name]] as const]));
    const results = await session.run(Object.fromEntries(asked));
    gatherInto(into.gradient, weights, (name) => results[gradientName(name)]);
    gatherInto(into.statistics, statistics, (name) => results[net.statistics.get(name) ?? ""]);
    for (const { from, to, ...batchOf } of variances) {
      unbiasInto(into.statistics.subarray(from, to), state.statistics.subarray(from, to), batchOf);
    }
    const outputs = Object.fromEntries(
      net.graph.outputs.flatMap(({ name }) => (results[name] === undefined ? [] : [[name, results[name]]])),
    );
    return { loss: lossOf(results[LOSS]), outputs };
  }

  return {
    batch,
    weights,
    statistics,
    initial: () => ({ weights: flatten(net.graph, weights), statistics: flatten(net.graph, statistics) }),
    run,
    dispose: () => session.dispose(),
  };
}

/** The network at the dims of one step. @throws OptionError when it takes another number of images. */
async function atBatch(net: Trainable, { runtime, batch, dims }: StepSettings): Promise<Specialised> {
  const keep = new Set(changing(net));
  const fixed = await specialise(net.graph, probingWith(runtime), { batch, dims, keep });
  for (const { name, dims: stated = [] } of net.graph.inputs) {
    const rows = fixed.facts.get(name)?.dims[0];
    if (stated.length > 0 && rows !== batch) {
      throw new OptionError(
        `training: expected a network that takes ${batch} images at a time, got one that takes ${rows}. Do train with batches of ${rows}, or export it with a dynamic batch.`,
      );
    }
  }
  return fixed;
}

/** The network with its loss, differentiated; weights and statistics are inputs. */
async function stepGraph(net: Trainable, fixed: Specialised, { runtime, loss }: StepSettings): Promise<Graph> {
  const outputs = Object.fromEntries(
    fixed.graph.outputs.map(({ name, dtype, dims: stated }) => {
      const fact = fixed.facts.get(name) ?? { dtype, dims: (stated ?? []).map(Number) };
      return [name, { ...fact, name }];
    }),
  );
  if (fixed.facts.has(LOSS)) {
    throw new OptionError(`training: expected a network without a value "${LOSS}", got one.`);
  }
  const whole = await extend(fixed, probingWith(runtime), (b) => {
    b.output(LOSS, loss(b, outputs), "float32", []);
    for (const value of net.statistics.values()) b.output(value, value, "float32");
  });
  const graph = differentiate(whole.graph, { seeds: { [LOSS]: 1 }, wrt: net.weights }, whole.facts);
  return asInputs(
    graph,
    changing(net).filter((name) => graph.initializers.has(name)),
  );
}

/** Initializers that differ from step to step. */
function changing({ weights, statistics }: Trainable): ValueName[] {
  return [...weights, ...statistics.keys()];
}

function pick({ initializers }: Graph, names: readonly ValueName[]): [ValueName, Tensor][] {
  return names.flatMap((name): [ValueName, Tensor][] => {
    const value = initializers.get(name);
    return value === undefined ? [] : [[name, value]];
  });
}

function flatten({ initializers }: Graph, layout: Layout): Float32Array {
  const flat = new Float32Array(layout.size);
  gatherInto(flat, layout, (name) => initializers.get(name));
  return flat;
}

function lossOf(value: Tensor | undefined): number {
  const [loss] = value?.dtype === "float32" ? value.data : [];
  if (loss === undefined || value?.data.length !== 1) {
    throw new RuntimeFailure(`training: expected one number as loss, got ${value?.data.length ?? "none"}.`);
  }
  return loss;
}
