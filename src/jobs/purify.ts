/**
 * @file The use case `purify`: a stream of pictures in, purified pictures with evidence and result rows out, in the order
 * they came. Memory is bounded by the batch: decoding, purifying and encoding of neighbouring batches overlap.
 */
import { z } from "zod";
import type { Classifier } from "../classifiers/classifier.ts";
import { OptionError } from "../core/errors.ts";
import { imageId } from "../core/noise.ts";
import type { Prior } from "../diffusion/prior.ts";
import { type Picture, pictureDims, picturesFromTensor, tensorFromPictures } from "../images/picture.ts";
import { winners } from "../metrics/accuracy.ts";
import {
  type AnswerRule,
  answerRules,
  PURIFY_SCHEMA,
  type PurifyRow,
  type PurifySummary,
} from "../results/purify-row.ts";
import { rowsOf } from "../tensor/rows.ts";
import type { Float32Tensor } from "../tensor/tensor.ts";
import { answerOf } from "./answer.ts";
import { type CalibrationFile, findCalibration, NO_THRESHOLD, type Threshold, thresholdFrom } from "./calibration.ts";
import { type JudgedBatch, type OpenPurifier, openPurifier } from "./open-purifier.ts";
import { type PictureNeeds, preparePicture } from "./prepare.ts";

/** Schema of a request: plain JSON, the same from the command line and over HTTP. */
export const purifyRequest = z.strictObject({
  method: z.string(),
  preset: z.string().optional(),
  options: z.record(z.string(), z.unknown()).optional(),
  votes: z.number().int().optional(),
  seed: z.number().int().min(0).default(0),
  /** Images in one batch; results do not depend on it. */
  batch: z.number().int().min(1).max(4096).default(64),
  /** Stated rate of clean images that may be flagged. */
  fpr: z.number().gt(0).lt(1).default(0.05),
  /** Resize pictures to the model's size. */
  fit: z.boolean().default(false),
  /** Convert pictures to grey (1) or colour (3). */
  channels: z.union([z.literal(1), z.literal(3)]).optional(),
  /** What stands as label and scores of a picture. */
  answer: z.enum(answerRules).default("purified"),
});

/** A request as a caller writes it: defaults may be left out. */
export type PurifyRequest = z.input<typeof purifyRequest>;

/** One purified picture with everything that belongs to it. */
export interface PurifiedPicture {
  /** What was purified: the input after resizing and conversion, if asked for. */
  readonly input: Picture;
  readonly output: Picture;
  /** Maps [1, 1, H, W] in [0, 1], by name. */
  readonly evidence: Readonly<Record<string, Float32Tensor>>;
  readonly row: PurifyRow;
}

/** What a face lends to the job. */
export interface PurifyHost {
  readonly pictures: AsyncIterable<Picture>;
  /** How many pictures there are, for progress. */
  readonly total?: number | undefined;
  readonly prior?: Prior | undefined;
  readonly classifier?: Classifier | undefined;
  /** Clean pictures to calibrate the threshold on; they go before {@link calibrationFile}. */
  readonly calibration?: AsyncIterable<Picture> | undefined;
  readonly calibrationFile?: CalibrationFile | undefined;
  /** Called once for each batch, in order; awaited before the next batch's results are handed over. */
  sink(results: readonly PurifiedPicture[]): Promise<void>;
  readonly signal?: AbortSignal | undefined;
  /** @param done pictures so far, fractional within a batch. */
  progress?(phase: "calibrate" | "purify", done: number, total: number | undefined): void;
}

/**
 * Purifies pictures.
 * @throws OptionError for a bad request, ShapeError for a picture that does not fit (naming the flag that helps), the
 * signal's reason when cancelled. What was handed to the sink before stays valid.
 */
export async function purifyPictures(request: PurifyRequest, host: PurifyHost): Promise<PurifySummary> {
  const settings = parseRequest(request);
  const { prior, classifier, signal } = host;
  const purifier = await openPurifier(settings.method, settings, { prior, classifier });
  const callsBefore = classifier?.calls ?? 0;
  const run = { settings, needs: needsOf(prior, classifier), purifier, host };

  if (settings.answer === "verdict" && classifier === undefined) {
    throw new OptionError(
      "--answer verdict: expected a classifier, got none. Give one with --classifier MODEL.onnx|URL.",
    );
  }
  const threshold = await findThreshold(run);
  if (settings.answer === "verdict" && threshold.value === null) {
    throw new OptionError(
      "--answer verdict: expected a threshold for these settings, got none. Do give clean pictures with --calibrate FOLDER.",
    );
  }
  let [count, changed, flagged] = [0, 0, 0];
  let writing: Promise<void> = Promise.resolve();
  for await (const { pictures, judged } of judgedBatches(run, host.pictures, "purify", host.total)) {
    await writing;
    const results = describeBatch(pictures, judged, {
      threshold: threshold.value,
      rule: settings.answer,
      labels: classifier?.labels,
    });
    for (const { row } of results) {
      count += 1;
      changed += row.label === row.labelBefore ? 0 : 1;
      flagged += row.flagged === true ? 1 : 0;
    }
    writing = host.sink(results);
    // The next batch runs meanwhile; a failure surfaces at the next await.
    writing.catch(() => undefined);
  }
  await writing;
  signal?.throwIfAborted();
  return {
    schema: PURIFY_SCHEMA,
    method: settings.method,
    preset: purifier.plan.preset,
    options: purifier.plan.votes.map((options) => ({ ...options })),
    seed: settings.seed,
    count,
    flagged: threshold.value === null ? null : flagged,
    answer: settings.answer,
    changed: classifier === undefined ? null : changed,
    suspicion: purifier.suspicion,
    threshold: threshold.value,
    falsePositiveRate: threshold.falsePositiveRate,
    calibrationCount: threshold.count,
    sigma01: purifier.sigma01,
    networkCalls: purifier.networkCalls,
    classifierCalls: (classifier?.calls ?? 0) - callsBefore,
    priorHash: prior?.hash ?? null,
    precision: prior === undefined ? null : (prior.precision ?? "f32"),
    classifierHash: classifier?.hash ?? null,
  };
}

/** What the steps of one job share. */
interface Run {
  readonly settings: z.output<typeof purifyRequest>;
  readonly needs: PictureNeeds;
  readonly purifier: OpenPurifier;
  readonly host: PurifyHost;
}

function parseRequest(request: PurifyRequest): z.output<typeof purifyRequest> {
  const parsed = purifyRequest.safeParse(request);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new OptionError(`${issue?.path.join(".") || "request"}: ${issue?.message}.`);
}

/** The prior decides what pictures look like; without one the classifier does. */
function needsOf(prior: Prior | undefined, classifier: Classifier | undefined): PictureNeeds {
  return { ...classifier?.input, ...prior?.dims };
}

async function findThreshold(run: Run): Promise<Threshold> {
  const { settings, purifier, host } = run;
  if (host.calibration !== undefined) {
    const scores: number[] = [];
    for await (const { judged } of judgedBatches(run, host.calibration, "calibrate", undefined)) {
      scores.push(...judged.suspicion);
    }
    return thresholdFrom(scores, settings.fpr);
  }
  if (host.calibrationFile === undefined || host.classifier === undefined) return NO_THRESHOLD;
  const scores = findCalibration(host.calibrationFile, purifier.key, host.classifier.hash);
  return scores === undefined ? NO_THRESHOLD : thresholdFrom(scores, settings.fpr);
}

/** Purifies a stream batch by batch; the next batch is being decoded while one is purified. */
async function* judgedBatches(
  { settings, needs, purifier, host }: Run,
  stream: AsyncIterable<Picture>,
  phase: "calibrate" | "purify",
  total: number | undefined,
): AsyncGenerator<{ pictures: readonly Picture[]; judged: JudgedBatch }> {
  const { signal } = host;
  let done = 0;
  for await (const pictures of ahead(batches(stream, settings, needs))) {
    signal?.throwIfAborted();
    const ids = pictures.map((picture) => imageId(pictureDims(picture), picture.pixels));
    const judged = await purifier.purify(tensorFromPictures(pictures), ids, {
      seed: settings.seed,
      signal,
      progress: (share) => host.progress?.(phase, done + share * pictures.length, total),
    });
    done += pictures.length;
    host.progress?.(phase, done, total);
    yield { pictures, judged };
  }
}

/** Prepared pictures in batches of equal dims: where size is free, a change of size starts a new batch. */
async function* batches(
  stream: AsyncIterable<Picture>,
  settings: z.output<typeof purifyRequest>,
  needs: PictureNeeds,
): AsyncGenerator<readonly Picture[]> {
  let batch: Picture[] = [];
  for await (const raw of stream) {
    const picture = preparePicture(raw, needs, settings);
    const [first] = batch;
    const same = first === undefined || pictureDims(first).every((dim, axis) => dim === pictureDims(picture)[axis]);
    if (batch.length === settings.batch || !same) {
      yield batch;
      batch = [];
    }
    batch.push(picture);
  }
  if (batch.length > 0) yield batch;
}

/** The same items, the next one being made while one is used. */
async function* ahead<T>(items: AsyncGenerator<T>): AsyncGenerator<T> {
  let next = items.next();
  try {
    for (;;) {
      const { done, value } = await next;
      if (done === true) return;
      next = items.next();
      // If the consumer stops first, nobody awaits this one.
      next.catch(() => undefined);
      yield value;
    }
  } finally {
    await items.return(undefined);
  }
}

/** Rows and pictures of a judged batch. */
function describeBatch(
  pictures: readonly Picture[],
  judged: JudgedBatch,
  {
    threshold,
    rule,
    labels,
  }: {
    readonly threshold: number | null;
    readonly rule: AnswerRule;
    readonly labels: readonly string[] | undefined;
  },
): PurifiedPicture[] {
  const outputs = picturesFromTensor(
    judged.images,
    pictures.map(({ name }) => name),
  );
  const { scores, suspicion: suspicions } = judged;
  const answers =
    scores &&
    answerOf({ ...scores, suspicion: suspicions }, { rule, threshold: threshold ?? Number.POSITIVE_INFINITY });
  const answered = answers && winners(answers);
  const labelsBefore = scores && winners(scores.before);
  return pictures.map((input, i) => {
    const rowOf = (all: Float32Tensor | undefined): number[] | null =>
      all === undefined ? null : [...rowsOf(all, i, i + 1).data];
    const label = answered?.[i] ?? null;
    const suspicion = suspicions[i] ?? Number.NaN;
    const row: PurifyRow = {
      name: input.name,
      output: `images/${input.name}.png`,
      label,
      labelName: label === null ? null : (labels?.[label] ?? null),
      labelBefore: labelsBefore?.[i] ?? null,
      scores: rowOf(answers),
      scoresBefore: rowOf(scores?.before),
      suspicion,
      flagged: threshold === null ? null : suspicion > threshold,
    };
    const evidence = Object.fromEntries(
      Object.entries(judged.evidence).map(([name, map]) => [name, rowsOf(map, i, i + 1)]),
    );
    return { input, output: outputs[i] as Picture, evidence, row };
  });
}
