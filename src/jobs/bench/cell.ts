/** @file The use case of one cell: a model, what attacks it, a purifier before it; counted on images that cells share. */
import type { AttackDescriptor, EvasionAttack } from "../../attacks/attack.ts";
import { singleTarget } from "../../attacks/label-map.ts";
import { attacks } from "../../attacks/registry.ts";
import { idsOf } from "../../attacks/test-set.ts";
import type { Trigger } from "../../attacks/trigger.ts";
import {
  type AttackImages,
  type DefendedScores,
  type Evaluation,
  evaluate,
  type MeasuredImages,
  unitRows,
  type WatchedBatch,
} from "../../bench/evaluate.ts";
import type { Classifier } from "../../classifiers/classifier.ts";
import type { DifferentiableClassifier } from "../../classifiers/differentiable.ts";
import { toProbabilities } from "../../classifiers/probability.ts";
import { parseOptions } from "../../core/descriptor.ts";
import { OptionError, RuntimeFailure } from "../../core/errors.ts";
import { lookUp } from "../../core/names.ts";
import { createNoise, type ImageId } from "../../core/noise.ts";
import type { Prior } from "../../diffusion/prior.ts";
import type { Picture } from "../../images/picture.ts";
import type { PresetName, PurifierDescriptor } from "../../purify/purifier.ts";
import { purifiers } from "../../purify/registry.ts";
import { bytesFromUnit, unitFromBytes } from "../../tensor/image-bytes.ts";
import type { Float32Tensor } from "../../tensor/tensor.ts";
import { answerOf } from "../answer.ts";
import { NO_THRESHOLD, type Threshold, thresholdFrom } from "../calibration.ts";
import { openVotes } from "../open-purifier.ts";
import type { CellJob } from "./job.ts";
import { type ShownBatch, sheetOf } from "./sheet.ts";

/** What a face lends to a cell. */
export interface CellHost {
  /** The model, open. */
  readonly classifier: Classifier;
  /** The same with gradients; asked for by evasion only. Its owner disposes it. */
  differentiable(): Promise<DifferentiableClassifier>;
  readonly trigger: Trigger | undefined;
  readonly prior: Prior | undefined;
  /** The images that the job chooses. */
  readonly images: MeasuredImages;
  readonly classes: number;
  /** The clean images that set the threshold. */
  readonly calibration: MeasuredImages | undefined;
  /** Seconds of a clock that only goes forward. */
  now(): number;
  readonly signal?: AbortSignal | undefined;
  /** @param share 0..1 of the cell. */
  progress?(share: number): void;
}

/** What was measured. */
export interface CellMeasures {
  readonly evaluation: Evaluation;
  readonly threshold: Threshold;
  /** The attacker's class; `null` where each image has its own, or there is none. */
  readonly target: number | null;
  /** Clean images, and those that were purified and classified in all: clean and attacked, without the calibration. */
  readonly images: number;
  readonly defended: number;
  /** That the defence took for them, without the attack. */
  readonly seconds: number;
  readonly networkCalls: number;
  readonly classifierCalls: number;
  readonly sheet: Picture | undefined;
}

/** What is shown and judged of a batch. */
interface Defended extends DefendedScores, ShownBatch {}

/** A defence with what it has cost so far. */
interface CountedDefence {
  /** @param threshold images above it are flagged; none is while it is being set. */
  run(images: Float32Tensor, ids: readonly ImageId[], threshold: number): Promise<Defended>;
  networkCalls(): number;
}

/**
 * Measures a cell.
 * @throws OptionError, ShapeError when purifier, prior, model and images do not fit each other; what running them throws.
 */
export async function measureCell(job: CellJob, host: CellHost): Promise<CellMeasures> {
  const { classifier, images, calibration, signal } = host;
  const defence = await openDefence(job, host);
  const steps =
    (calibration === undefined ? 0 : calibration.labels.length) +
    (job.threat === "none" ? 1 : 2) * images.labels.length;
  let done = 0;
  let seconds = 0;
  let flaggedAbove = Number.POSITIVE_INFINITY;
  const timed = async (batch: Float32Tensor, ids: readonly ImageId[]): Promise<Defended> => {
    signal?.throwIfAborted();
    const started = host.now();
    const result = await defence.run(batch, ids, flaggedAbove);
    seconds += host.now() - started;
    done += ids.length;
    host.progress?.(Math.min(done / steps, 1));
    return result;
  };
  const threshold = await calibrate(job, calibration, timed);
  if (job.purifier.answer === "verdict" && threshold.value === null) {
    throw new OptionError(
      `verdict: expected enough calibration images for a rate of ${threshold.falsePositiveRate}, got ${threshold.count}.`,
    );
  }
  flaggedAbove = threshold.value ?? flaggedAbove;
  const before = { seconds, done, network: defence.networkCalls(), classifier: classifier.calls };
  let sheet: Picture | undefined;
  const attack = await attackOf(job, host);
  const evaluation = await evaluate(timed, images, attack?.images, {
    batch: job.batch,
    signal,
    watch(batch) {
      if (sheet === undefined && job.sheet > 0) sheet = sheetOfBatch(batch, job.sheet);
    },
  }).finally(() => attack?.dispose?.());
  return {
    evaluation,
    threshold,
    target: host.trigger === undefined ? null : (singleTarget(host.trigger.labels) ?? null),
    images: images.labels.length,
    defended: done - before.done,
    seconds: seconds - before.seconds,
    networkCalls: defence.networkCalls() - before.network,
    classifierCalls: classifier.calls - before.classifier,
    sheet,
  };
}

async function openDefence(
  { purifier, seed }: CellJob,
  { classifier, prior, signal }: CellHost,
): Promise<CountedDefence> {
  const { name, preset, votes, answer: rule } = purifier;
  if (votes.length === 0) {
    return {
      networkCalls: () => 0,
      async run(images) {
        const scores = toProbabilities(await classifier.classify(images, signal));
        return { images, evidence: {}, scores, suspicion: new Float64Array(images.dims[0] ?? 0) };
      },
    };
  }
  const descriptor: PurifierDescriptor = lookUp<PurifierDescriptor>("purifier", name, purifiers);
  const open = await openVotes(descriptor, { preset: preset as PresetName, votes }, { prior, classifier });
  return {
    networkCalls: () => open.networkCalls,
    async run(images, ids, threshold) {
      const judged = await open.purify(images, ids, { seed, signal });
      if (judged.scores === undefined) throw new RuntimeFailure(`internal: ${name} gave no scores`);
      const { images: purified, evidence, suspicion } = judged;
      const scores = answerOf({ ...judged.scores, suspicion }, { rule, threshold });
      return { images: purified, evidence, suspicion, scores };
    },
  };
}

async function calibrate(
  { batch, calibration }: CellJob,
  clean: MeasuredImages | undefined,
  run: (images: Float32Tensor, ids: readonly ImageId[]) => Promise<Defended>,
): Promise<Threshold> {
  if (calibration === null || clean === undefined) return NO_THRESHOLD;
  const scores: number[] = [];
  for (let from = 0; from < clean.labels.length; from += batch) {
    const rows = unitRows(clean.images, from, Math.min(from + batch, clean.labels.length));
    scores.push(...(await run(rows, idsOf(rows))).suspicion);
  }
  return thresholdFrom(scores, calibration.falsePositiveRate);
}

/** What makes attacked images. */
interface OpenAttack {
  readonly images: Trigger | AttackImages;
  dispose?(): Promise<void>;
}

/** The model's trigger, an attack on its gradients, or nothing. */
async function attackOf(job: CellJob, host: CellHost): Promise<OpenAttack | undefined> {
  const { threat, attack } = job;
  if (threat === "none") return undefined;
  if (threat === "evasion") return await evading(job, host);
  if (host.trigger !== undefined) return { images: host.trigger };
  throw new OptionError(`${attack.name}: expected a model with a trigger, got one without.`);
}

async function evading({ attack, seed }: CellJob, host: CellHost): Promise<OpenAttack> {
  const { signal, classes } = host;
  const descriptor = lookUp<AttackDescriptor>("attack", attack.name, attacks);
  const options = parseOptions(descriptor, attack.options);
  const none = {
    images: { dtype: "uint8", dims: [0, ...host.images.images.dims.slice(1)], data: new Uint8Array() },
    labels: [],
    classes,
  } as const;
  const evasion = await descriptor.create(options, { data: none, seed, signal });
  if (evasion.how !== "evade") {
    throw new OptionError(`${attack.name}: expected an attack on test images, got one that plants a backdoor.`);
  }
  const classifier = await host.differentiable();
  return {
    images: (images, labels) => evade(evasion, { images, labels, classifier, seed, signal }),
    dispose: () => evasion.dispose(),
  };
}

async function evade(
  evasion: EvasionAttack,
  {
    images,
    labels,
    classifier,
    seed,
    signal,
  }: {
    images: Float32Tensor;
    labels: ArrayLike<number>;
    classifier: DifferentiableClassifier;
    seed: number;
    signal: AbortSignal | undefined;
  },
): ReturnType<AttackImages> {
  const run = { noise: createNoise(seed, idsOf(images)), signal };
  const changed = bytesFromUnit(await evasion.evade(images, labels, { classifier, run }));
  return {
    images: unitFromBytes(images.dims, changed),
    labels,
    targets: undefined,
    indices: Array.from({ length: labels.length }, (_, i) => i),
  };
}

function sheetOfBatch({ clean, attacked }: WatchedBatch<Defended>, count: number): Picture | undefined {
  return sheetOf({ clean, attacked, shown: (attacked ?? clean).defended }, count);
}
