/** @file What a model answers to clean and attacked images, behind a purifier or as it is, counted. */
import { idsOf } from "../../../attacks/test-set.ts";
import {
  type DefendedScores,
  evaluate,
  type MeasuredImages,
  unitRows,
  type WatchedBatch,
} from "../../../bench/evaluate.ts";
import { toProbabilities } from "../../../classifiers/probability.ts";
import { OptionError, RuntimeFailure } from "../../../core/errors.ts";
import { lookUp } from "../../../core/names.ts";
import type { ImageId } from "../../../core/noise.ts";
import type { Picture } from "../../../images/picture.ts";
import type { PresetName, PurifierDescriptor } from "../../../purify/purifier.ts";
import { purifiers } from "../../../purify/registry.ts";
import type { Float32Tensor } from "../../../tensor/tensor.ts";
import { answerOf } from "../../answer.ts";
import { NO_THRESHOLD, type Threshold, thresholdFrom } from "../../calibration.ts";
import { openVotes } from "../../open-purifier.ts";
import type { Answers, CellHost } from "../cell-host.ts";
import type { CellJob } from "../job.ts";
import { type ShownBatch, sheetOf } from "../sheet.ts";
import { type AttackedHost, attackOf } from "./attack-images.ts";

/** What is lent to whoever answers images. */
export type AnsweringHost = AttackedHost & Pick<CellHost, "classifier" | "prior" | "calibration" | "now" | "progress">;

/** What is shown and judged of a batch. */
interface Defended extends DefendedScores, ShownBatch {}

/** A defence with what it has cost so far. */
interface CountedDefence {
  /** @param threshold images above it are flagged; none is while it is being set. */
  run(images: Float32Tensor, ids: readonly ImageId[], threshold: number): Promise<Defended>;
  networkCalls(): number;
}

/**
 * Counts what a model answers, behind a purifier or as it is.
 * @throws OptionError, ShapeError when purifier, prior, model and images do not fit each other; what running them throws.
 */
export async function measureAnswers(job: CellJob, host: AnsweringHost): Promise<Answers> {
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
  if (job.defence.kind === "purifier" && job.defence.answer === "verdict" && threshold.value === null) {
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
    defended: done - before.done,
    seconds: seconds - before.seconds,
    networkCalls: defence.networkCalls() - before.network,
    classifierCalls: classifier.calls - before.classifier,
    sheet,
  };
}

async function openDefence(
  { defence, seed }: CellJob,
  { classifier, prior, signal }: AnsweringHost,
): Promise<CountedDefence> {
  if (defence.kind !== "purifier") {
    return {
      networkCalls: () => 0,
      async run(images) {
        const scores = toProbabilities(await classifier.classify(images, signal));
        return { images, evidence: {}, scores, suspicion: new Float64Array(images.dims[0] ?? 0) };
      },
    };
  }
  const { name, preset, votes, answer: rule } = defence;
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

function sheetOfBatch({ clean, attacked }: WatchedBatch<Defended>, count: number): Picture | undefined {
  return sheetOf({ clean, attacked, shown: (attacked ?? clean).defended }, count);
}
