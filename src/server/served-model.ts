/** @file A model that a gateway serves: where its answers come from, and what is done to images on their way. */
import type { Classifier } from "../classifiers/classifier.ts";
import { readPreprocessing, UNIT_RANGE } from "../classifiers/preprocessing.ts";
import { toProbabilities } from "../classifiers/probability.ts";
import { createScoreReader, type ScoreReader } from "../classifiers/score-reader.ts";
import { EndpointError, InputError, OptionError } from "../core/errors.ts";
import { hashJson } from "../core/hash.ts";
import type { Prior } from "../diffusion/prior.ts";
import { findCalibration, thresholdFrom } from "../jobs/calibration.ts";
import { type OpenPurifier, openPurifier } from "../jobs/open-purifier.ts";
import { readReferences } from "../jobs/scan/references.ts";
import { openReferencePriors } from "../node/audit/references.ts";
import { openClassifierAt } from "../node/open-classifier.ts";
import { openPriorAt } from "../node/open-prior.ts";
import { readCalibration } from "../node/read-calibration.ts";
import { readLabelNames } from "../node/read-labels.ts";
import { folderReferences } from "../node/scan/open-references.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { concatRows, rowsOf } from "../tensor/rows.ts";
import type { Float32Tensor } from "../tensor/tensor.ts";
import { createBatchQueue } from "./batch-queue.ts";
import type { GatewayLimits, ModelConfig } from "./config.ts";
import type { ByteCache } from "./image-cache.ts";
import { createImagePurifier, type ImagePurifier, type PurifiedImage } from "./image-purifier.ts";
import type { ImageForm } from "./pixels.ts";

/** A model that is ready. */
export interface ServedModel {
  readonly config: ModelConfig;
  readonly limits: GatewayLimits;
  readonly form: ImageForm;
  readonly prior: Prior | undefined;
  readonly classifier: Classifier | undefined;
  /** How many classes a model has that runs here, where that is known before the first request. */
  readonly classes: number | undefined;
  /** Absent under the policy `pass`. */
  readonly purifier: ImagePurifier | undefined;
  readonly plan: OpenPurifier["plan"] | undefined;
  readonly threshold: number | undefined;
  /** Reads the scores of an upstream; what they are is settled by the first. */
  readonly scores: ScoreReader;
  /** Probabilities [N, K] of a model that runs here. */
  classify(images: Float32Tensor, signal: AbortSignal): Promise<Float32Tensor>;
  /** Images that wait or are worked on. */
  readonly depth: number;
  /** Waits for what it took, then closes what it opened. */
  dispose(): Promise<void>;
}

/** What models share. */
export interface ModelHost {
  readonly runtime: Runtime;
  readonly cache: ByteCache<PurifiedImage>;
  readonly limits: GatewayLimits;
}

/**
 * Opens a model.
 * @throws what opening its classifier, prior or method throws; nothing stays open then.
 */
export async function openModel(name: string, config: ModelConfig, host: ModelHost): Promise<ServedModel> {
  const { runtime, cache, limits } = host;
  const classifier = await openOwn(config, runtime);
  let prior: Prior | undefined;
  try {
    const guarded = config.policy !== "pass";
    // Only audits and scans use them, in processes of their own: what is wrong with them is told now.
    if (config.references !== undefined) await openReferencePriors(config.references);
    if (config.classifier?.references !== undefined) await checkReferences(config.classifier.references);
    prior =
      config.prior === undefined
        ? undefined
        : await openPriorAt(config.prior, runtime, { precision: config.precision });
    const opened = guarded ? await openPurifier(config.method, config, { prior, classifier }) : undefined;
    const threshold = opened && (await thresholdOf(config, opened.key, classifier));
    if (config.answer === "verdict" && guarded && threshold === undefined) {
      throw new OptionError(
        `models.${name}: expected a threshold for the answer "verdict", got none. Do give one as "threshold".`,
      );
    }
    const scope = opened && hashJson([opened.key, classifier?.hash ?? null]);
    const queue = { batch: limits.batch, delayMs: limits.delayMs, queue: limits.queue };
    const purifier = opened && createImagePurifier(opened, scope ?? "", { cache, queue });
    const classifying = createBatchQueue<Float32Tensor, Float32Tensor>(
      async (rows, signal) => {
        if (classifier === undefined) throw new Error("internal: no classifier here.");
        const scores = toProbabilities(await classifier.classify(concatRows(rows), signal));
        return rows.map((_, i) => rowsOf(scores, i, i + 1));
      },
      ({ dims }) => dims.join("x"),
      queue,
    );
    const needs = { ...classifier?.input, ...prior?.dims };
    return {
      config,
      limits,
      classifier,
      prior,
      classes: classifier && (await classesOf(classifier, needs)),
      purifier,
      plan: opened?.plan,
      threshold,
      form: {
        input: config.input,
        layout: config.layout,
        preprocessing:
          config.mean === undefined && config.std === undefined
            ? UNIT_RANGE
            : (readPreprocessing(undefined, { mean: config.mean ?? 0, std: config.std ?? 1 }) ?? UNIT_RANGE),
        needs,
        consent: { fit: config.fit, channels: config.channels },
        limits,
      },
      scores: createScoreReader({
        subject: `upstream "${config.upstream ?? name}"`,
        wrongForm: (sentence) => new EndpointError(sentence),
        wrongValue: (sentence) => new EndpointError(sentence),
        kind: config.scores,
      }),
      async classify(images, signal) {
        const rows = Array.from({ length: images.dims[0] ?? 0 }, (_, i) => rowsOf(images, i, i + 1));
        return concatRows(await classifying.submit(rows, signal));
      },
      get depth() {
        return classifying.depth + (purifier?.depth ?? 0);
      },
      async dispose() {
        await Promise.all([classifying.idle(), purifier?.idle()]);
        await prior?.dispose();
        await classifier?.dispose();
      },
    };
  } catch (error) {
    await prior?.dispose();
    await classifier?.dispose();
    throw error;
  }
}

/** @throws InputError for a folder that holds no whole references. */
async function checkReferences(folder: string): Promise<void> {
  const known = await readReferences(folderReferences(folder));
  if (known?.complete === true) return;
  throw new InputError(
    `${folder}: expected clean classifiers to compare with, got ${known === undefined ? "none" : "a part of them"}. Do make them first: untrigger scan references --images DATA -o ${folder}.`,
  );
}

async function openOwn({ classifier }: ModelConfig, runtime: Runtime): Promise<Classifier | undefined> {
  if (classifier === undefined) return undefined;
  const { path, mean, std, labels, references: _, ...flags } = classifier;
  const list = (value: number | readonly number[] | undefined): readonly number[] | undefined =>
    typeof value === "number" ? [value] : value;
  return await openClassifierAt(path, runtime, {
    ...flags,
    mean: list(mean),
    std: list(std),
    labels: labels === undefined ? undefined : await readLabelNames(labels),
  });
}

/** The threshold that was given, or that of a calibration beside the prior. */
async function thresholdOf(
  { threshold, prior, fpr }: ModelConfig,
  key: string,
  classifier: Classifier | undefined,
): Promise<number | undefined> {
  if (threshold !== undefined || prior === undefined || classifier === undefined) return threshold;
  const file = await readCalibration(prior);
  const scores = file && findCalibration(file, key, classifier.hash);
  return (scores && thresholdFrom(scores, fpr).value) ?? undefined;
}

async function classesOf(
  classifier: Classifier,
  { channels, height, width }: ImageForm["needs"],
): Promise<number | undefined> {
  if (classifier.labels !== undefined) return classifier.labels.length;
  if (channels === undefined || height === undefined || width === undefined) return undefined;
  const data = Float32Array.from({ length: channels * height * width }, (_, i) => (i % 7) / 6);
  const { scores } = await classifier.classify({ dtype: "float32", dims: [1, channels, height, width], data });
  return scores.dims[1];
}
