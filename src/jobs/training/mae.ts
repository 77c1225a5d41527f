/** @file The use case `train mae`: a masked auto-encoder learns to paint hidden parts of a data set's images. */

import { parseOptions } from "../../core/descriptor.ts";
import { hashJson } from "../../core/hash.ts";
import { graphToBytes } from "../../graph/to-model.ts";
import { weightsOf } from "../../nn/checkpoints/weights.ts";
import { freshWeights } from "../../nn/fresh-weights.ts";
import { buildMaskedAutoencoder, maskedAutoencoderOptions, patchGrid } from "../../nn/generators/masked-autoencoder.ts";
import { imageDims } from "../../tensor/shape.ts";
import { augmentationOf } from "../../training/batches/augment.ts";
import { visiblePatches } from "../../training/batches/masked.ts";
import { openBatches } from "../../training/batches/open-batches.ts";
import { trainMae } from "../../training/train-mae.ts";
import { channelStatistics } from "./channel-statistics.ts";
import { checkpointsOf, type TrainingData, type TrainingHost } from "./host.ts";
import { followTraining, recentLoss, TRAINING_SCHEMA, type TrainingRecord } from "./progress.ts";
import { planOf, type Recipe } from "./recipe.ts";

/** Share of patches that are hidden in training. @source He et al. 2022, figure 5. */
const HIDDEN = 0.75;

/** What is asked for. */
export interface MaeRequest {
  /** Raw options of the network; mean and deviation are those of the data when left out. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly recipe: Recipe;
  readonly seed: number;
}

/** A trained masked auto-encoder: `model.onnx` (inputs `pixel_values`, `mask`; output `prediction`) and `config.json`. */
export interface MaeResult {
  readonly files: Readonly<Record<string, Uint8Array>>;
  readonly record: TrainingRecord;
  readonly losses: readonly number[];
}

/**
 * Trains a masked auto-encoder.
 * @throws OptionError, ShapeError when the request does not fit the data; what training throws.
 */
export async function trainMaeJob(request: MaeRequest, data: TrainingData, host: TrainingHost): Promise<MaeResult> {
  const { recipe, seed } = request;
  const { images, labels } = data.train;
  const { runtime, threads, signal } = host;
  const { c: channels, h: height, w: width } = imageDims("training", images.dims);
  const dims = { channels, height, width };
  const raw = { ...channelStatistics(images), ...request.options };
  const options = parseOptions({ name: "train mae", options: maskedAutoencoderOptions }, raw);
  const grid = patchGrid(dims, options);
  const patches = grid.rows * grid.columns;
  const visible = visiblePatches(patches, HIDDEN);
  const plan = planOf(recipe, labels.length);
  const { weights, state } = await trainMae({
    runtime,
    threads,
    graph: buildMaskedAutoencoder({ options, dims, weights: freshWeights(seed), visible }),
    image: { ...dims, patch: options.patch },
    batch: recipe.batch,
    batches: (host.openBatches ?? openBatches)({
      kind: "masked",
      images,
      patches,
      visible,
      batch: recipe.batch,
      seed,
      augmentation: augmentationOf(recipe),
    }),
    plan,
    signal,
    checkpoints: checkpointsOf(host, hashJson({ options, recipe, seed, data: data.sha256 })),
    onStep: (report, { losses }) => {
      host.progress?.(followTraining({ steps: plan.steps, batch: recipe.batch, losses }, report));
    },
  });
  const model = buildMaskedAutoencoder({ options, dims, weights: weightsOf(weights, "masked auto-encoder") });
  const config = {
    architectures: ["masked-autoencoder"],
    image_size: [height, width],
    num_channels: channels,
    ...options,
  };
  return {
    files: {
      "model.onnx": graphToBytes(model),
      "config.json": new TextEncoder().encode(`${JSON.stringify(config, undefined, 2)}\n`),
    },
    losses: state.losses,
    record: {
      schema: TRAINING_SCHEMA,
      kind: "mae",
      dataset: data.name,
      datasetSha256: data.sha256,
      options: { ...recipe, ...options },
      seed,
      parameters: state.weights.length,
      steps: state.step,
      loss: recentLoss(state.losses),
      accuracy: null,
    },
  };
}
