/** @file Trains a diffusion prior: a U-Net that predicts the noise in an image. */
import type { Graph } from "../graph/ir.ts";
import type { Feeds, Runtime } from "../runtime/runtime.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type CheckpointedSettings, trainWithCheckpoints } from "./checkpointed.ts";
import type { BatchSource } from "./loop.ts";
import { squaredLoss } from "./losses.ts";
import type { TrainingState } from "./state.ts";
import { openStep } from "./step.ts";
import { trainableOf } from "./trainable.ts";
import { trainedTensors } from "./trained.ts";

/** What {@link trainPrior} is told. */
export interface PriorTraining extends CheckpointedSettings {
  readonly runtime: Runtime;
  readonly threads?: number | undefined;
  /** A U-Net with inputs `sample`, `timestep` and output `out`, as `diffusion/unet` writes it. */
  readonly graph: Graph;
  /** Rows of every batch that `batches` gives. */
  readonly batch: number;
  /** Feeds of the U-Net, and `noise`. */
  readonly batches: BatchSource<Feeds>;
  /** Called every `sampling.every` steps with the weights that would be saved now. */
  readonly sampling?:
    | { readonly every: number; show(weights: ReadonlyMap<string, Tensor>, step: number): Promise<void> }
    | undefined;
}

/**
 * Trains with the mean squared error of the predicted noise.
 * @returns tensors by their names in the U-Net: the moving average where the plan keeps one.
 * @throws what `openStep` and `trainWithCheckpoints` throw.
 * @source Ho et al. 2020, "Denoising Diffusion Probabilistic Models", eq. 14. https://arxiv.org/abs/2006.11239
 */
export async function trainPrior(
  training: PriorTraining,
): Promise<{ readonly weights: ReadonlyMap<string, Tensor>; readonly state: TrainingState }> {
  const { runtime, threads, graph, batch, sampling, onStep } = training;
  const net = trainableOf(graph);
  const step = await openStep(net, { runtime, threads, batch, loss: squaredLoss("out", "noise") });
  try {
    const state = await trainWithCheckpoints(step, {
      ...training,
      onStep: async (report, now) => {
        await onStep?.(report, now);
        if (sampling !== undefined && now.step % sampling.every === 0)
          await sampling.show(trainedTensors(step, now), now.step);
      },
    });
    return { weights: trainedTensors(step, state), state };
  } finally {
    await step.dispose();
  }
}
