/** @file From a trained state back to a network that anybody can use. */
import type { Graph } from "../graph/ir.ts";
import { float32, type Tensor } from "../tensor/tensor.ts";
import type { TrainingState } from "./state.ts";
import type { TrainingStep } from "./step.ts";
import type { Trainable } from "./trainable.ts";

/** Which weights of a state are meant: those of the last step, or their moving average. */
export type WeightChoice = "last" | "average";

/** The trained tensors by name, running statistics among them. */
export function trainedTensors(
  step: Pick<TrainingStep, "weights" | "statistics">,
  state: TrainingState,
  choice: WeightChoice = state.average.length > 0 ? "average" : "last",
): Map<string, Tensor> {
  const weights = choice === "average" ? state.average : state.weights;
  const copy = (flat: Float32Array, { slots }: TrainingStep["weights"]): [string, Tensor][] =>
    slots.map(({ name, dims, from, to }) => [name, float32(dims, flat.slice(from, to))]);
  return new Map([...copy(weights, step.weights), ...copy(state.statistics, step.statistics)]);
}

/** The network in inference mode with the trained tensors in place of those it began with. */
export function trainedGraph(net: Trainable, tensors: ReadonlyMap<string, Tensor>): Graph {
  const initializers = new Map(
    [...net.inference.initializers].map(([name, value]) => [name, tensors.get(name) ?? value]),
  );
  return { ...net.inference, initializers };
}
