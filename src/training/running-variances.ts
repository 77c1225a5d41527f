/**
 * @file Running variances as PyTorch keeps them. ONNX's specification puts the variance of the batch itself into the
 * running one; PyTorch puts what the batch says of the data, which is `n / (n - 1)` of that, n the values of a channel.
 */

import { floatOf } from "../graph/attributes.ts";
import type { Specialised } from "../graph/rewrite/specialise.ts";
import { elementCount } from "../tensor/shape.ts";
import { isBatchNorm } from "./inference-form.ts";
import type { Layout } from "./layout.ts";
import type { Trainable } from "./trainable.ts";

/** A running variance in the flat array of statistics, and how a batch enters it. */
export interface RunningVariance {
  readonly from: number;
  readonly to: number;
  /** Share of the old variance that stays. */
  readonly momentum: number;
  /** Values of a channel in one batch. */
  readonly count: number;
}

/**
 * Finds the running variances of a network in training mode. Those of a layer that is used twice are left out: its second
 * use goes on from its first, and theirs stay the specification's.
 * @param statistics where the statistics lie. @param step the network at the dims of a step.
 */
export function runningVariances(
  net: Pick<Trainable, "statistics">,
  statistics: Layout,
  { graph, facts }: Specialised,
): readonly RunningVariance[] {
  return graph.nodes.flatMap((node): RunningVariance[] => {
    const [x = "", , , , stored = ""] = node.inputs;
    const slot = statistics.slots.find(({ name }) => name === stored);
    if (!isBatchNorm(node) || slot === undefined || net.statistics.get(stored) !== node.outputs[2]) return [];
    const { dims = [] } = facts.get(x) ?? {};
    const count = elementCount(dims) / (dims[1] ?? 1);
    return [{ from: slot.from, to: slot.to, momentum: floatOf(node, "momentum", 0.9), count }];
  });
}
