/** @file A classifier that has learned nothing yet, and the files that it becomes. */
import { signatureOf } from "../../classifiers/image-graph.ts";
import type { OnnxClassifierFiles } from "../../classifiers/onnx.ts";
import { readPreprocessing, UNIT_RANGE } from "../../classifiers/preprocessing.ts";
import { saveClassifier } from "../../classifiers/save-classifier.ts";
import { buildClassifier } from "../../nn/architectures/build-classifier.ts";
import { freshWeights } from "../../nn/fresh-weights.ts";
import { imageDims } from "../../tensor/shape.ts";
import type { ClassifierNet, TrainedClassifier } from "../../training/train-classifier.ts";
import { channelStatistics } from "./channel-statistics.ts";
import type { TrainingData } from "./host.ts";

/** A network with the way in which it is saved. */
export interface NetToTrain {
  readonly net: ClassifierNet;
  /** The files of its folder, by name. */
  save(trained: Pick<TrainedClassifier, "graph">): Readonly<Record<string, Uint8Array>>;
}

/** A network by the name of its architecture. */
export interface NetRequest {
  /** A name of `architectures`. */
  readonly architecture: string;
  readonly options: Readonly<Record<string, unknown>>;
  /** Of its weights. */
  readonly seed: number;
}

/** A fresh network for the images of a data set, normalised by their mean and deviation. @throws OptionError, ShapeError when they do not fit. */
export function freshNet(
  { architecture, options, seed }: NetRequest,
  { classes, train }: Pick<TrainingData, "classes" | "train">,
): NetToTrain {
  const { c: channels, h: height, w: width } = imageDims("training", train.images.dims);
  const dims = { channels, height, width };
  const graph = buildClassifier({ architecture, options, classes: classes.length, dims, weights: freshWeights(seed) });
  const { mean, std } = channelStatistics(train.images);
  const preprocessor = { image_mean: mean, image_std: std };
  const preprocessing = readPreprocessing(preprocessor, {}) ?? UNIT_RANGE;
  return {
    net: { graph, signature: signatureOf(graph), preprocessing, kind: "logits", dims: [channels, height, width] },
    save: (trained) => saveClassifier({ model: trained.graph, architecture, labels: classes, mean, std }),
  };
}

/** The files of a saved classifier, as those are given who open it. */
export function savedClassifier(files: Readonly<Record<string, Uint8Array>>): OnnxClassifierFiles {
  const json = (name: string): unknown => {
    const bytes = files[name];
    return bytes === undefined ? undefined : JSON.parse(new TextDecoder().decode(bytes));
  };
  return {
    model: files["model.onnx"] ?? new Uint8Array(),
    config: json("config.json"),
    preprocessor: json("preprocessor_config.json"),
  };
}
