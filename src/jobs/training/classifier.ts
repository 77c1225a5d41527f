/** @file The use case `train classifier`: a network that is fresh, or the user's own, learns a data set. */

import { type OnnxClassifierFiles, openOnnxClassifier } from "../../classifiers/onnx.ts";
import { hashJson, sha256Hex } from "../../core/hash.ts";
import { graphToBytes } from "../../graph/to-model.ts";
import { type Count, rate } from "../../metrics/count.ts";
import { augmentationOf } from "../../training/batches/augment.ts";
import { type BatchSpec, openBatches } from "../../training/batches/open-batches.ts";
import { trainClassifier } from "../../training/train-classifier.ts";
import { freshNet, savedClassifier } from "./fresh-net.ts";
import { type ClassifiedImages, checkpointsOf, type TrainingData, type TrainingHost } from "./host.ts";
import { measureClean } from "./measure-clean.ts";
import { ownNet } from "./own-net.ts";
import { followTraining, recentLoss, TRAINING_SCHEMA, type TrainingRecord } from "./progress.ts";
import { planOf, type Recipe } from "./recipe.ts";

/** What is asked for. */
export interface ClassifierRequest {
  /** A name of `architectures`, with its options; for a model of the user's, neither counts. */
  readonly architecture: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly recipe: Recipe;
  readonly seed: number;
}

/** What {@link trainClassifierJob} may be lent besides. */
export interface ClassifierHost extends TrainingHost {
  /** A model of the user's that learns on. */
  readonly fineTune?: OnnxClassifierFiles | undefined;
}

/** A trained classifier as files, with what was measured. */
export interface ClassifierResult {
  readonly files: Readonly<Record<string, Uint8Array>>;
  readonly record: TrainingRecord;
  readonly losses: readonly number[];
  /** Test images called by their label. */
  readonly accuracy: Count;
}

/**
 * Trains a classifier and measures it on the test images.
 * @throws OptionError, ShapeError when request, model and data do not fit; what training throws.
 */
export async function trainClassifierJob(
  request: ClassifierRequest,
  data: TrainingData,
  host: ClassifierHost,
): Promise<ClassifierResult> {
  const { recipe, seed } = request;
  const { images, labels } = data.train;
  const { runtime, threads, signal } = host;
  const net = host.fineTune === undefined ? freshNet(request, data) : await ownNet(host.fineTune, data, host);
  const plan = planOf(recipe, labels.length);
  const settings: BatchSpec<"labelled"> = {
    kind: "labelled",
    images,
    labels,
    classes: data.classes.length,
    batch: recipe.batch,
    seed,
    augmentation: augmentationOf(recipe),
  };
  const trained = await trainClassifier({
    runtime,
    threads,
    net: net.net,
    batch: recipe.batch,
    batches: (host.openBatches ?? openBatches)(settings),
    plan,
    signal,
    checkpoints: checkpointsOf(
      host,
      hashJson({ request, data: data.sha256, model: sha256Hex(graphToBytes(net.net.graph)) }),
    ),
    onStep: (report, { losses }) => {
      host.progress?.(followTraining({ steps: plan.steps, batch: recipe.batch, losses }, report));
    },
  });
  const files = net.save(trained);
  const accuracy = await measure(files, data.test, host);
  return {
    files,
    losses: trained.state.losses,
    accuracy,
    record: {
      schema: TRAINING_SCHEMA,
      kind: "classifier",
      dataset: data.name,
      datasetSha256: data.sha256,
      architecture: host.fineTune === undefined ? request.architecture : null,
      options: { ...recipe, ...request.options },
      seed,
      parameters: trained.state.weights.length,
      steps: trained.state.step,
      loss: recentLoss(trained.state.losses),
      accuracy: rate(accuracy),
      measuredOn: accuracy.total,
    },
  };
}

/** Test images called by their label, as whoever loads the saved files will see it. */
async function measure(
  files: Readonly<Record<string, Uint8Array>>,
  test: ClassifiedImages,
  host: TrainingHost,
): Promise<Count> {
  const classifier = await openOnnxClassifier(savedClassifier(files), host.runtime, { threads: host.threads });
  try {
    return await measureClean(classifier, test, host.signal);
  } finally {
    await classifier.dispose();
  }
}
