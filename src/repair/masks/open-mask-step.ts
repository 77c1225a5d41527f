/** @file One run of a network whose channels are disturbed: the loss, and its gradient by every multiplier. */
import { takingUnitImages } from "../../classifiers/image-graph.ts";
import type { Graph } from "../../graph/ir.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import { crossEntropyLoss } from "../../training/losses.ts";
import { openStep, type TrainingStep } from "../../training/step.ts";
import type { ClassifierNet } from "../../training/train-classifier.ts";
import { trainableOf } from "../../training/trainable.ts";
import type { Layer } from "../layers/find-layers.ts";
import { withMultipliers } from "../layers/multipliers.ts";

/** A step of which the "weights" are multipliers, and how they belong to layers. */
export interface MaskStep extends TrainingStep {
  /** Of each layer where its multipliers lie among the weights of the step: those of its scale, and of its shift. */
  readonly places: readonly { readonly scale: Span; readonly shift: Span | undefined }[];
}

/** A stretch of a flat array. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/**
 * Opens it in training mode: normalisations use the statistics of the batch.
 * @param graph the network in inference mode. @param layers some of its layers. @throws what `openStep` throws.
 */
export async function openMaskStep(
  { signature, preprocessing, kind, dims }: ClassifierNet,
  graph: Graph,
  {
    layers,
    batch,
    runtime,
    threads,
  }: {
    readonly layers: readonly Layer[];
    readonly batch: number;
    readonly runtime: Runtime;
    readonly threads?: number | undefined;
  },
): Promise<MaskStep> {
  const scored = { ...graph, outputs: graph.outputs.filter(({ name }) => name === signature.output) };
  const parameters = layers.flatMap(({ scale, shift }) => (shift === undefined ? [scale] : [scale, shift]));
  const { graph: multiplied, names } = withMultipliers(scored, parameters);
  const trainable = trainableOf(multiplied);
  const taking = takingUnitImages(trainable.graph, { signature, preprocessing, dims: ["N", ...dims] });
  const step = await openStep(
    { ...trainable, graph: taking, weights: names },
    { runtime, threads, batch, loss: crossEntropyLoss(signature.output, kind) },
  );
  const spans = new Map(parameters.map((parameter, i) => [parameter, step.weights.slots[i] ?? { from: 0, to: 0 }]));
  const spanOf = (parameter: Layer["scale"]): Span => spans.get(parameter) ?? { from: 0, to: 0 };
  return {
    ...step,
    places: layers.map(({ scale, shift }) => ({ scale: spanOf(scale), shift: shift && spanOf(shift) })),
  };
}
