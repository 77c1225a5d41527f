/** @file The features behind a Fréchet distance: the last layer's input of a classifier of the same kind of images. */
import { openFeatureClassifier, requireFeatures } from "../../classifiers/features.ts";
import type { OnnxClassifierFiles } from "../../classifiers/onnx.ts";
import { type FeatureStatistics, gatherFeatures } from "../../metrics/frechet/statistics.ts";
import { clamp } from "../../tensor/arithmetic.ts";
import { type Float32Tensor, float32 } from "../../tensor/tensor.ts";
import { trainClassifierJob } from "../training/classifier.ts";
import { savedClassifier } from "../training/fresh-net.ts";
import type { TrainingData, TrainingHost } from "../training/host.ts";
import { classifierRecipe } from "../training/recipe.ts";

/** A network that turns images into numbers. Distances compare only where the hash is the same. */
export interface FeatureNet {
  /** What it is, in words. */
  readonly name: string;
  readonly hash: string;
  /** Numbers an image. */
  readonly size: number;
  /** Mean and covariance over images [N, C, H, W] in [0, 1]; values outside are clamped. @throws OptionError below two. */
  statistics(images: Float32Tensor): Promise<FeatureStatistics>;
  dispose(): Promise<void>;
}

/** The features of a user's classifier. @throws OptionError where it does not end with a linear layer. */
export async function openFeatureNet(
  files: OnnxClassifierFiles,
  { runtime, threads, signal }: Pick<TrainingHost, "runtime" | "threads" | "signal">,
  name: string,
): Promise<FeatureNet> {
  const classifier = requireFeatures("frechet", await openFeatureClassifier(files, runtime, { threads }));
  const size = classifier.lastLayer.dims[1] ?? 0;
  return {
    name,
    hash: classifier.hash,
    size,
    async statistics(images) {
      const none = float32([images.dims[0] ?? 0, size]);
      const { features } = await classifier.featureGradient(clamp(images, 0, 1), none, { weights: none, signal });
      const gatherer = gatherFeatures(size);
      gatherer.add(features);
      return gatherer.statistics();
    },
    dispose: () => classifier.dispose(),
  };
}

/** Settings of the classifier that is trained where the user has none: they are part of what a distance means. */
const OWN = { architecture: "small-cnn", options: {}, seed: 0, recipe: classifierRecipe.parse({ epochs: 1 }) };

/** Trains a small classifier on the data, for its features. @throws what training throws. */
export async function trainFeatureNet(data: TrainingData, host: TrainingHost): Promise<FeatureNet> {
  const { runtime, threads, signal } = host;
  const batch = Math.min(OWN.recipe.batch, data.train.labels.length);
  const request = { ...OWN, recipe: { ...OWN.recipe, batch } };
  const { files } = await trainClassifierJob(request, data, { runtime, threads, signal });
  return openFeatureNet(savedClassifier(files), host, `small-cnn, one epoch of ${data.name}, seed ${OWN.seed}`);
}
