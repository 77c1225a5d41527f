/** @file From a result of BackdoorBench to a classifier of ours: its architecture, our graph, its weights. */

import { saveClassifier } from "../classifiers/save-classifier.ts";
import { OptionError } from "../core/errors.ts";
import { printable } from "../data/quote.ts";
import { buildClassifier } from "../nn/architectures/build-classifier.ts";
import type { StateDict } from "../nn/checkpoints/state-dict.ts";
import { weightsOf } from "../nn/checkpoints/weights.ts";
import type { BackdoorBenchResult } from "./backdoorbench.ts";

/** What a result does not say of its model. */
export interface BackdoorBenchPreprocessing {
  /** Mean per channel, or one for all; that of BackdoorBench for the data set when left out. */
  readonly mean?: readonly number[] | undefined;
  /** Deviation per channel, or one for all; likewise. */
  readonly std?: readonly number[] | undefined;
  /** Names of the classes; their numbers when left out. */
  readonly labels?: readonly string[] | undefined;
  /** For `defense_result.pt`, which does not say. */
  readonly imageSize?: BackdoorBenchResult["model"]["imageSize"];
}

interface KnownModel {
  readonly architecture: string;
  /** Options of the architecture, some read off the shapes of the weights. */
  options(weights: StateDict): Readonly<Record<string, unknown>>;
}

const outputs = (weights: StateDict, name: string, usual: number): number => weights.get(name)?.dims[0] ?? usual;
const vgg = (depth: string): KnownModel => ({
  architecture: "vgg-bn",
  options: (weights) => ({ depth, width: outputs(weights, "features.0.weight", 64) }),
});

/** BackdoorBench's names of architectures that are in the house. */
const models: Readonly<Record<string, KnownModel>> = {
  preactresnet18: {
    architecture: "preact-resnet-18",
    options: (weights) => ({ width: outputs(weights, "conv1.weight", 64) }),
  },
  resnet18: {
    architecture: "resnet-18",
    options: (weights) => ({
      width: outputs(weights, "conv1.weight", 64),
      stem: weights.get("conv1.weight")?.dims[3] === 7 ? "imagenet" : "cifar",
    }),
  },
  vgg11_bn: vgg("11"),
  vgg13_bn: vgg("13"),
  vgg16_bn: vgg("16"),
  mobilenet_v2: {
    architecture: "mobilenet-v2",
    options: (weights) => ({ strides: "imagenet", width: outputs(weights, "features.0.0.weight", 32) / 32 }),
  },
};

/** @source SCLBD/BackdoorBench, utils/aggregate_block/dataset_and_transform_generate.py, get_dataset_normalization. */
const normalisations: Readonly<Record<string, { readonly mean: readonly number[]; readonly std: readonly number[] }>> =
  {
    mnist: { mean: [0.5], std: [0.5] },
    cifar10: { mean: [0.4914, 0.4822, 0.4465], std: [0.247, 0.243, 0.261] },
    cifar100: { mean: [0.5071, 0.4865, 0.4409], std: [0.2673, 0.2564, 0.2762] },
    tiny: { mean: [0.4802, 0.4481, 0.3975], std: [0.2302, 0.2265, 0.2262] },
    gtsrb: { mean: [0], std: [1] },
    celeba: { mean: [0], std: [1] },
    imagenet: { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
  };

/**
 * The files of a classifier's folder, as `saveClassifier` writes them.
 * @throws OptionError for a model whose architecture is not in the house, or a data set whose normalisation is unknown
 * when none is given; FormatError naming the tensor when the weights do not fit.
 */
export function backdoorBenchClassifier(
  { model, dataset }: BackdoorBenchResult,
  options: BackdoorBenchPreprocessing = {},
): Record<string, Uint8Array> {
  const known = Object.hasOwn(models, model.name) ? models[model.name] : undefined;
  if (known === undefined) {
    throw new OptionError(
      `model_name: expected one of ${Object.keys(models).join(", ")}, got ${printable(model.name)}. Do export it with ` +
        "torch.onnx.export where BackdoorBench is.",
    );
  }
  const dims = options.imageSize ?? model.imageSize;
  if (dims === undefined) {
    throw new OptionError("img_size: expected the size of the model's images, got none in the file. Do give it.");
  }
  const { mean, std } = { ...normalisationOf(dataset, options) };
  const subject = `model ${model.name}`;
  const { architecture, options: optionsOf } = known;
  const weights = weightsOf(model.weights, subject);
  const graph = buildClassifier({
    architecture,
    options: optionsOf(model.weights),
    classes: model.numClasses,
    dims,
    weights,
  });
  return saveClassifier({
    model: graph,
    labels: options.labels ?? Array.from({ length: model.numClasses }, (_, id) => String(id)),
    mean,
    std,
    architecture,
  });
}

function normalisationOf(
  dataset: string | undefined,
  { mean, std }: BackdoorBenchPreprocessing,
): { mean: readonly number[]; std: readonly number[] } {
  if (mean !== undefined && std !== undefined) return { mean, std };
  const known = dataset !== undefined && Object.hasOwn(normalisations, dataset) ? normalisations[dataset] : undefined;
  if (known !== undefined) return { mean: mean ?? known.mean, std: std ?? known.std };
  throw new OptionError(
    `clean_data: expected one of ${Object.keys(normalisations).join(", ")}, whose mean and deviation are known, got ` +
      `${dataset === undefined ? "none" : printable(dataset)}. Do give both.`,
  );
}
