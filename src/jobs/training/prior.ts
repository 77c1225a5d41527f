/** @file The use case `train prior`: a diffusion model learns the images of a data set. */
import { memorySource } from "../../core/byte-source.ts";
import { InputError, OptionError } from "../../core/errors.ts";
import { hashJson } from "../../core/hash.ts";
import { createNoise } from "../../core/noise.ts";
import { noiseLike } from "../../diffusion/noise.ts";
import { openPrior } from "../../diffusion/open-prior.ts";
import { openSampler } from "../../diffusion/samplers/registry.ts";
import { diffusersUNet } from "../../diffusion/unet/diffusers.ts";
import { planUNet, type UNetOptions } from "../../diffusion/unet/plan-unet.ts";
import { priorFiles, scheduleToTrain, type TrainingSchedule } from "../../diffusion/write-prior.ts";
import type { Picture } from "../../images/picture.ts";
import { picturesFromTensor } from "../../images/picture.ts";
import { gridSheet } from "../../images/sheet.ts";
import { freshWeights } from "../../nn/fresh-weights.ts";
import { imageDims } from "../../tensor/shape.ts";
import { float32, type Tensor } from "../../tensor/tensor.ts";
import { type BatchSpec, openBatches } from "../../training/batches/open-batches.ts";
import { trainPrior } from "../../training/train-prior.ts";
import { checkpointsOf, type TrainingData, type TrainingHost } from "./host.ts";
import { followTraining, recentLoss, TRAINING_SCHEMA, type TrainingRecord } from "./progress.ts";
import { planOf, type Recipe } from "./recipe.ts";

/** What is asked for. */
export interface PriorRequest {
  /** The U-Net; its size is that of the images. */
  readonly unet: Omit<UNetOptions, "channels" | "height" | "width">;
  readonly noise: TrainingSchedule;
  readonly recipe: Recipe;
  readonly seed: number;
  /** Steps between two sample sheets; 0 for one at the end only. */
  readonly sampleEvery: number;
}

/** What {@link trainPriorJob} may be lent besides. */
export interface PriorHost extends TrainingHost {
  /** Takes a sheet of samples, made after so many steps. */
  showSamples?(sheet: Picture, step: number): Promise<void>;
}

/** A trained prior as the files of a diffusers folder. */
export interface PriorResult {
  readonly files: Readonly<Record<string, Uint8Array>>;
  readonly record: TrainingRecord;
  readonly losses: readonly number[];
}

/**
 * Trains a prior.
 * @throws OptionError, ShapeError when the request does not fit the data; what training throws.
 */
export async function trainPriorJob(request: PriorRequest, data: TrainingData, host: PriorHost): Promise<PriorResult> {
  const { recipe, seed, noise } = request;
  const { images, labels } = data.train;
  const { runtime, threads, signal } = host;
  if (recipe.flip || recipe.rotation > 0 || recipe.crop > 0 || recipe.cutOut > 0) {
    throw new OptionError(
      "train: expected no augmentation for a prior, got some; because it would learn to make changed images.",
    );
  }
  const { c: channels, h: height, w: width } = imageDims("training", images.dims);
  const config = planUNet({ ...request.unet, channels, height, width });
  const { graph } = diffusersUNet(config, freshWeights(seed), { height, width });
  const plan = planOf(recipe, labels.length);
  const settings: BatchSpec<"diffusion"> = {
    kind: "diffusion",
    images,
    schedule: scheduleToTrain(noise),
    batch: recipe.batch,
    seed,
  };
  const filesOf = (weights: ReadonlyMap<string, Tensor>): Readonly<Record<string, Uint8Array>> =>
    priorFiles({ config, weights, schedule: noise });
  const show = async (weights: ReadonlyMap<string, Tensor>, step: number): Promise<void> => {
    if (host.showSamples !== undefined) await host.showSamples(await sampleSheet(filesOf(weights), seed, host), step);
  };
  const { weights, state } = await trainPrior({
    runtime,
    threads,
    graph,
    batch: recipe.batch,
    batches: (host.openBatches ?? openBatches)(settings),
    plan,
    signal,
    checkpoints: checkpointsOf(host, hashJson({ config, noise, recipe, seed, data: data.sha256 })),
    sampling: request.sampleEvery > 0 ? { every: request.sampleEvery, show } : undefined,
    onStep: (report, { losses }) => {
      host.progress?.(followTraining({ steps: plan.steps, batch: recipe.batch, losses }, report));
    },
  });
  await show(weights, state.step);
  return {
    files: filesOf(weights),
    losses: state.losses,
    record: {
      schema: TRAINING_SCHEMA,
      kind: "prior",
      dataset: data.name,
      datasetSha256: data.sha256,
      options: { ...recipe, unet: config, noise },
      seed,
      parameters: state.weights.length,
      steps: state.step,
      loss: recentLoss(state.losses),
      accuracy: null,
    },
  };
}

const SHEET_SIDE = 6;
const SAMPLING_STEPS = 50;

/** Samples of a prior as one picture, always from the same noise. */
async function sampleSheet(
  files: Readonly<Record<string, Uint8Array>>,
  seed: number,
  { runtime, threads, signal }: TrainingHost,
): Promise<Picture> {
  const prior = await openPrior(memorySource(files, missing), runtime, { threads, signal });
  try {
    const { channels, height, width } = prior.dims;
    const count = SHEET_SIDE * SHEET_SIDE;
    const ids = Array.from({ length: count }, (_, i) => [i, 0] as const);
    const like = float32([count, channels, height, width]);
    const start = noiseLike({ noise: createNoise(seed, ids) }, "samples", like)(0);
    const sample = openSampler("ddim", { steps: SAMPLING_STEPS });
    const x = await sample(prior, start, { start: prior.schedule.betas.length - 1, signal });
    const unit = float32(
      x.dims,
      Float32Array.from(x.data, (value) => (value + 1) / 2),
    );
    const pictures = picturesFromTensor(
      unit,
      Array.from({ length: count }, (_, i) => String(i)),
    );
    const rows = Array.from({ length: SHEET_SIDE }, (_, row) =>
      pictures.slice(row * SHEET_SIDE, (row + 1) * SHEET_SIDE).map((picture) => ({ picture })),
    );
    return gridSheet(Array<string>(SHEET_SIDE).fill(""), rows, 2);
  } finally {
    await prior.dispose();
  }
}

function missing(name: string): InputError {
  return new InputError(`prior: expected the file ${name}, got none.`);
}
