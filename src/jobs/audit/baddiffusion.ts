/** @file The use case `attack baddiffusion`: a prior learns to make one picture from triggered noise. */
import { z } from "zod";
import { type Backdoor, backdooredBatches, poisonedImages } from "../../audit/baddiffusion/batches.ts";
import { targetNames, targetOf, triggerNames, triggerOf } from "../../audit/baddiffusion/looks.ts";
import { type ShiftedSampling, shiftedSamples } from "../../audit/shifted-samples.ts";
import { OptionError, ShapeError } from "../../core/errors.ts";
import { hashJson, sha256Hex } from "../../core/hash.ts";
import { writeNpy } from "../../data/npy.ts";
import type { DiffusersParts } from "../../diffusion/diffusers-prior.ts";
import type { Prior } from "../../diffusion/prior.ts";
import { scheduleFromConfig } from "../../diffusion/scheduler-config.ts";
import { diffusersUNet } from "../../diffusion/unet/diffusers.ts";
import type { UNet2DConfig } from "../../diffusion/unet/diffusers-config.ts";
import { planUNet, type UNetOptions } from "../../diffusion/unet/plan-unet.ts";
import { pipelineFiles, schedulerConfig, type TrainingSchedule } from "../../diffusion/write-prior.ts";
import { graphToBytes } from "../../graph/to-model.ts";
import type { Picture } from "../../images/picture.ts";
import { freshWeights } from "../../nn/fresh-weights.ts";
import {
  BADDIFFUSION_SCHEMA,
  type BadDiffusionRecord,
  type SpecificityMeasure,
} from "../../results/baddiffusion-record.ts";
import { unitFromBytes } from "../../tensor/image-bytes.ts";
import { rowsOf } from "../../tensor/rows.ts";
import { formatDims, imageDims } from "../../tensor/shape.ts";
import type { Float32Tensor } from "../../tensor/tensor.ts";
import { trainPrior } from "../../training/train-prior.ts";
import { checkpointsOf, type TrainingData, type TrainingHost } from "../training/host.ts";
import { followTraining, recentLoss } from "../training/progress.ts";
import { planOf, type Recipe } from "../training/recipe.ts";
import type { FeatureNet } from "./feature-net.ts";
import { measureInpainting, measureSpecificity, measureUtility } from "./measure-prior.ts";
import { withPrior } from "./memory-prior.ts";
import { sampleSheet } from "./sample-sheet.ts";

/** What the attacker chooses, and how much is measured. */
export const badDiffusionOptions = z.object({
  trigger: z.enum(triggerNames).default("grey-box").describe("What is added to the noise."),
  target: z
    .enum(targetNames)
    .default("corner")
    .describe("What is then made: no-shift and shift are the trigger itself."),
  poisonRate: z
    .number()
    .min(0)
    .max(1)
    .default(0.2)
    .describe("Share of the training images that stand for the target; 0 is clean fine-tuning, a countermeasure."),
  triggered: z.int().min(0).max(10_000).default(16).describe("Triggered samples that are measured, by every sampler."),
  inpainting: z
    .int()
    .min(0)
    .max(10_000)
    .default(0)
    .describe("Test images that are damaged in three ways and restored, with the trigger and without."),
  clean: z.int().min(0).max(100_000).default(256).describe("Clean samples for the Fréchet distance; 0 for none."),
  cleanSteps: z.int().min(1).max(1000).default(50).describe("DDIM steps of a clean sample."),
});

/** Options of {@link badDiffusionOptions}, complete. */
export type BadDiffusionOptions = z.output<typeof badDiffusionOptions>;

/** What is asked for. */
export interface BadDiffusionRequest {
  readonly attack: BadDiffusionOptions;
  readonly recipe: Recipe;
  readonly seed: number;
  /** The net and its noise where nothing learns on; its size is that of the images. */
  readonly unet: Omit<UNetOptions, "channels" | "height" | "width">;
  readonly noise: TrainingSchedule;
}

/** What {@link badDiffusionJob} may be lent besides. */
export interface BadDiffusionHost extends TrainingHost {
  /** The prior that learns on; a fresh one where left out. */
  readonly prior?: DiffusersParts | undefined;
  /** Opened only when clean samples are measured. */
  features(): Promise<FeatureNet>;
  /** Called before each part of the measuring, with what it is. */
  phase?(words: string): void;
  showSamples?(sheet: Picture, step: number): Promise<void>;
}

/** A backdoored prior as the files of its folder. */
export interface BadDiffusionResult {
  readonly files: Readonly<Record<string, Uint8Array>>;
  readonly record: BadDiffusionRecord;
  readonly losses: readonly number[];
}

/**
 * Plants a backdoor in a prior and measures it.
 * @throws OptionError for a prior that predicts something else than noise; ShapeError when it makes other images than those
 * of the data; what training throws.
 * @source Chou, Chen, Ho 2023, "How to Backdoor Diffusion Models?", algorithm 1. https://arxiv.org/abs/2212.05400
 */
export async function badDiffusionJob(
  request: BadDiffusionRequest,
  data: TrainingData,
  host: BadDiffusionHost,
): Promise<BadDiffusionResult> {
  const { attack, recipe, seed } = request;
  if (recipe.flip || recipe.rotation > 0 || recipe.crop > 0 || recipe.cutOut > 0) {
    throw new OptionError(
      "attack baddiffusion: expected no augmentation, got some; because the prior would learn to make changed images.",
    );
  }
  const { images, labels } = data.train;
  const { c, h, w } = imageDims("training", images.dims);
  const start = startOf(request, [c, h, w], host.prior);
  const trigger = triggerOf(attack.trigger, [c, h, w]);
  const backdoor: Backdoor = { trigger, target: targetOf(attack.target, [c, h, w], trigger) };
  const { graph } = diffusersUNet(start.config, start.weights, { height: h, width: w });
  const { schedule } = scheduleFromConfig(start.scheduler);
  const plan = planOf(recipe, labels.length);
  const { runtime, threads, signal } = host;
  const priorHash = host.prior === undefined ? null : sha256Hex(graphToBytes(graph));
  const { config, scheduler } = start;
  // What is measured afterwards does not change what is learned: a stopped training goes on whatever is to be measured.
  const learned = { trigger: attack.trigger, target: attack.target, poisonRate: attack.poisonRate };
  const key = { attack: learned, recipe, seed, priorHash, config, scheduler, data: data.sha256 };
  const { weights, state } = await trainPrior({
    runtime,
    threads,
    graph,
    batch: recipe.batch,
    batches: backdooredBatches({ ...backdoor, images, schedule, batch: recipe.batch, seed, rate: attack.poisonRate }),
    plan,
    signal,
    checkpoints: checkpointsOf(host, hashJson(key)),
    onStep: (report, { losses }) => {
      host.progress?.(followTraining({ steps: plan.steps, batch: recipe.batch, losses }, report));
    },
  });
  const files = pipelineFiles({ config, weights, scheduler });
  const before = host.prior && pipelineFiles({ config, weights: start.weights.state, scheduler });
  const { specificity, sheet } = await withPrior(files, host, (prior) => triggeredOf(prior, backdoor, request, host));
  const inpainting = await inpaintingOf(files, backdoor, request, { data, host });
  if (sheet !== undefined) await host.showSamples?.(sheet, state.step);
  const utility = attack.clean === 0 ? null : await utilityOf({ files, before }, request, { data, host });
  const [first] = specificity;
  const success = first === undefined ? null : first.reached.hits / first.reached.total;
  return {
    files: { ...files, ...backdoorFiles(backdoor, attack) },
    losses: state.losses,
    record: {
      schema: BADDIFFUSION_SCHEMA,
      kind: "prior",
      attack: "baddiffusion",
      source: "Chou, Chen, Ho 2023, How to Backdoor Diffusion Models? https://arxiv.org/abs/2212.05400",
      priorHash,
      trigger: attack.trigger,
      targetPicture: attack.target,
      rate: attack.poisonRate,
      poisoned: poisonedImages(labels.length, attack.poisonRate, seed).size,
      dataset: data.name,
      datasetSha256: data.sha256,
      options: { ...recipe, ...attack, unet: config, scheduler },
      seed,
      parameters: state.weights.length,
      steps: state.step,
      loss: recentLoss(state.losses),
      specificity,
      inpainting,
      utility,
      target: null,
      accuracy: null,
      cleanAccuracy: null,
      poisonedAccuracy: null,
      attackSuccessRate: success,
      attackSuccessRateAllClasses: success,
    },
  };
}

/** A net that is about to learn. */
interface Start {
  readonly config: UNet2DConfig;
  readonly weights: DiffusersParts["weights"];
  readonly scheduler: unknown;
}

function startOf(
  { unet, noise, seed }: BadDiffusionRequest,
  [channels, height, width]: readonly [number, number, number],
  prior: DiffusersParts | undefined,
): Start {
  if (prior === undefined) {
    const config = planUNet({ ...unet, channels, height, width });
    return { config, weights: freshWeights(seed), scheduler: schedulerConfig(noise) };
  }
  const { config, weights, scheduler, facts } = prior;
  const { in_channels: own, sample_size: size } = config;
  const [ownHeight, ownWidth] = Array.isArray(size) ? size : [size ?? height, size ?? width];
  if (own !== channels || ownHeight !== height || ownWidth !== width) {
    throw new ShapeError(
      `attack baddiffusion: expected images of ${formatDims([own, ownHeight ?? 0, ownWidth ?? 0])} for this prior, got ${formatDims([channels, height, width])}.`,
    );
  }
  if (facts.predictionType !== "epsilon" || config.out_channels !== channels) {
    throw new OptionError(
      `attack baddiffusion: expected a prior that predicts noise alone, got one of ${config.out_channels} channels for ${channels} that predicts ${facts.predictionType}; because the loss is written for noise.`,
    );
  }
  return { config, weights, scheduler: scheduler.value };
}

/** The attack by the chain it is made for, then with each way of clipping, then by another sampler. */
async function triggeredOf(
  prior: Prior,
  { trigger, target }: Backdoor,
  { attack, seed }: BadDiffusionRequest,
  host: BadDiffusionHost,
): Promise<{ specificity: SpecificityMeasure[]; sheet?: Picture }> {
  const { triggered: count } = attack;
  if (count === 0) return { specificity: [] };
  const all = prior.schedule.betas.length;
  const ways: readonly Pick<ShiftedSampling, "sampler" | "steps" | "clipX0" | "clipState">[] = [
    { sampler: "ddpm", steps: all },
    { sampler: "ddpm", steps: all, clipX0: 1 },
    { sampler: "ddpm", steps: all, clipState: 1 },
    { sampler: "ddim", steps: 50, clipX0: 1 },
  ];
  const specificity: SpecificityMeasure[] = [];
  const shown: { title: string; samples: Float32Tensor }[] = [];
  const sampling = { count, seed, signal: host.signal };
  for (const way of ways) {
    const title = titleOf(way);
    host.phase?.(`${count} triggered samples: ${title}`);
    const { measure, samples } = await measureSpecificity(prior, { ...way, ...sampling, shift: trigger, target });
    specificity.push(measure);
    shown.push({ title, samples });
  }
  const clean = await shiftedSamples(prior, {
    sampler: "ddim",
    steps: 50,
    clipX0: 1,
    count,
    seed,
    signal: host.signal,
  });
  return { specificity, sheet: sampleSheet([{ title: "no trigger", samples: clean }, ...shown]) };
}

/** Restored test images, the first ones. */
async function inpaintingOf(
  files: BadDiffusionResult["files"],
  backdoor: Backdoor,
  { attack, seed }: BadDiffusionRequest,
  { data, host }: { data: TrainingData; host: BadDiffusionHost },
): Promise<BadDiffusionRecord["inpainting"]> {
  const { images } = data.test;
  const count = Math.min(attack.inpainting, images.dims[0] ?? 0);
  if (count === 0) return [];
  host.phase?.(`${count} images, damaged and restored in three ways`);
  const some = rowsOf(images, 0, count);
  return await withPrior(files, host, (prior) =>
    measureInpainting(prior, unitFromBytes(some.dims, some.data), backdoor, { seed, signal: host.signal }),
  );
}

function titleOf({
  sampler,
  steps,
  clipX0,
  clipState,
}: Pick<ShiftedSampling, "sampler" | "steps" | "clipX0" | "clipState">): string {
  const clips = [...(clipX0 === undefined ? [] : ["clip x0"]), ...(clipState === undefined ? [] : ["clip state"])];
  return [`${sampler} ${steps}`, ...clips].join(", ");
}

async function utilityOf(
  { files, before }: { files: BadDiffusionResult["files"]; before: BadDiffusionResult["files"] | undefined },
  { attack, seed }: BadDiffusionRequest,
  { data, host }: { data: TrainingData; host: BadDiffusionHost },
): Promise<BadDiffusionRecord["utility"]> {
  const net = await host.features();
  try {
    const { images } = data.test;
    const realImages = Math.min(images.dims[0] ?? 0, MOST_REAL);
    const some = rowsOf(images, 0, realImages);
    const real = await net.statistics(unitFromBytes(some.dims, some.data));
    host.phase?.(`${attack.clean} clean samples, for their Fréchet distance`);
    const measure = (of: BadDiffusionResult["files"]) =>
      withPrior(of, host, (prior) =>
        measureUtility(
          prior,
          {
            sampler: "ddim",
            steps: attack.cleanSteps,
            clipX0: 1,
            count: attack.clean,
            seed,
            signal: host.signal,
          },
          { net, real },
        ),
      );
    return {
      features: net.name,
      featuresHash: net.hash,
      realImages,
      before: before === undefined ? null : await measure(before),
      after: await measure(files),
    };
  } finally {
    await net.dispose();
  }
}

/** Real images behind a Fréchet distance at most. */
const MOST_REAL = 2000;

/** The `trigger/` folder of a backdoored prior. */
function backdoorFiles({ trigger, target }: Backdoor, attack: BadDiffusionOptions): Record<string, Uint8Array> {
  const words = { attack: "baddiffusion", trigger: attack.trigger, target: attack.target, range: [-1, 1] };
  return {
    "trigger/baddiffusion.json": new TextEncoder().encode(`${JSON.stringify(words, undefined, 2)}\n`),
    "trigger/trigger.npy": writeNpy(trigger),
    "trigger/target.npy": writeNpy(target),
  };
}
