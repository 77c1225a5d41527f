/** @file Trains a masked auto-encoder: a network that paints the hidden patches of an image. */
import type { Graph } from "../graph/ir.ts";
import type { ImageDims } from "../nn/generators/check-image.ts";
import { hiddenPatchLoss } from "../nn/generators/hidden-patch-loss.ts";
import type { Feeds, Runtime } from "../runtime/runtime.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type CheckpointedSettings, trainWithCheckpoints } from "./checkpointed.ts";
import type { BatchSource } from "./loop.ts";
import { requireOutput } from "./losses.ts";
import type { TrainingState } from "./state.ts";
import { openStep } from "./step.ts";
import { trainableOf } from "./trainable.ts";
import { trainedTensors } from "./trained.ts";

/** What {@link trainMae} is told. */
export interface MaeTraining extends CheckpointedSettings {
  readonly runtime: Runtime;
  readonly threads?: number | undefined;
  /**
   * A masked auto-encoder with inputs `pixel_values`, `mask` and output `prediction`, as `nn/generators` writes it; it
   * trains fastest when it was written for as many visible patches as `batches` give.
   */
  readonly graph: Graph;
  /** Its images, and pixels along a patch. */
  readonly image: ImageDims & { readonly patch: number };
  /** Rows of every batch that `batches` gives. */
  readonly batch: number;
  /** Its feeds. */
  readonly batches: BatchSource<Feeds>;
}

/**
 * Trains with the mean squared error of hidden pixels.
 * @returns tensors by their names in the graph: the moving average where the plan keeps one.
 * @throws what `openStep` and `trainWithCheckpoints` throw.
 * @source He et al. 2022, "Masked Autoencoders Are Scalable Vision Learners", section 3. https://arxiv.org/abs/2111.06377
 */
export async function trainMae(
  training: MaeTraining,
): Promise<{ readonly weights: ReadonlyMap<string, Tensor>; readonly state: TrainingState }> {
  const { runtime, threads, graph, image, batch } = training;
  // Places are waves, also where a checkpoint holds them as tensors.
  const step = await openStep(
    trainableOf(graph, (name) => !name.endsWith("pos_embed")),
    {
      runtime,
      threads,
      batch,
      loss: (b, outputs) => {
        const { name: prediction } = requireOutput(outputs, "prediction");
        return hiddenPatchLoss(b, { image: "pixel_values", prediction, mask: "mask" }, image);
      },
    },
  );
  try {
    const state = await trainWithCheckpoints(step, training);
    return { weights: trainedTensors(step, state), state };
  } finally {
    await step.dispose();
  }
}
