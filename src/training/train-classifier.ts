/** @file Trains a classifier, fresh or brought by a user, on labelled images. */
import type { ScoreKind } from "../classifiers/classifier.ts";
import { IMAGES, takingUnitImages } from "../classifiers/image-graph.ts";
import type { Signature } from "../classifiers/onnx-signature.ts";
import type { Preprocessing } from "../classifiers/preprocessing.ts";
import { OptionError } from "../core/errors.ts";
import type { Graph } from "../graph/ir.ts";
import type { Feeds, Runtime } from "../runtime/runtime.ts";
import type { LabelledBatch } from "./batches/labelled.ts";
import { type CheckpointedSettings, trainWithCheckpoints } from "./checkpointed.ts";
import type { BatchSource } from "./loop.ts";
import { crossEntropyLoss, ROW_WEIGHTS, TARGETS } from "./losses.ts";
import type { TrainingState } from "./state.ts";
import { openStep } from "./step.ts";
import { trainableOf } from "./trainable.ts";
import { trainedGraph, trainedTensors } from "./trained.ts";

/** A classifier's graph, and how images reach it. */
export interface ClassifierNet {
  readonly graph: Graph;
  readonly signature: Signature;
  readonly preprocessing: Preprocessing;
  /** What its output holds. */
  readonly kind: ScoreKind;
  /** [C, H, W] of its images. */
  readonly dims: readonly number[];
}

/** What {@link trainClassifier} is told. */
export interface ClassifierTraining extends Omit<CheckpointedSettings, "batches"> {
  readonly runtime: Runtime;
  readonly threads?: number | undefined;
  readonly net: ClassifierNet;
  /** Rows of every batch that `batches` gives. */
  readonly batch: number;
  readonly batches: BatchSource<LabelledBatch>;
  /** Which initializers learn; all that can when left out. */
  readonly learns?: ((name: string) => boolean) | undefined;
}

/** A trained classifier. */
export interface TrainedClassifier {
  /** Takes what the net took, in inference mode. */
  readonly graph: Graph;
  readonly state: TrainingState;
}

/**
 * Trains with weighted cross-entropy; batches hold images in [0, 1], preprocessing is part of the graph.
 * @throws what `openStep` and `trainWithCheckpoints` throw; OptionError when the scores are labels.
 */
export async function trainClassifier(training: ClassifierTraining): Promise<TrainedClassifier> {
  const { runtime, threads, net, batch, batches, learns } = training;
  if (net.kind === "labels") {
    throw new OptionError(
      "training: expected a classifier that gives scores (logits, probabilities), got one that gives labels.",
    );
  }
  const trainable = trainableOf(net.graph, learns);
  const { signature, preprocessing } = net;
  const scored = {
    ...trainable.graph,
    outputs: trainable.graph.outputs.filter(({ name }) => name === signature.output),
  };
  const graph = takingUnitImages(scored, { signature, preprocessing, dims: ["N", ...net.dims] });
  const loss = crossEntropyLoss(signature.output, net.kind);
  const step = await openStep({ ...trainable, graph }, { runtime, threads, batch, loss }).catch((error: unknown) => {
    throw fixedBatch(net, batch, error) ?? error;
  });
  try {
    const state = await trainWithCheckpoints(step, {
      ...training,
      batches: async (number, state) => feedsOf(await batches(number, state)),
    });
    return { graph: trainedGraph(trainable, trainedTensors(step, state)), state };
  } finally {
    await step.dispose();
  }
}

/** A network may say one batch size and yet take any: only when it does not, what it says is why. */
function fixedBatch({ graph, signature }: ClassifierNet, batch: number, cause: unknown): OptionError | undefined {
  const { dims = [] } = graph.inputs.find(({ name }) => name === signature.input) ?? {};
  const [rows] = dims;
  if (typeof rows !== "number" || rows === batch) return undefined;
  return new OptionError(
    `training: expected a network that takes ${batch} images at a time, got one that takes ${rows}. Do train with batches of ${rows}, or export it with a dynamic batch.`,
    { cause },
  );
}

function feedsOf({ images, targets, weights }: LabelledBatch): Feeds {
  return { [IMAGES]: images, [TARGETS]: targets, [ROW_WEIGHTS]: weights };
}
