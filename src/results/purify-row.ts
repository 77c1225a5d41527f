/** @file One purified image as a result row: what `results.jsonl` holds, a line each. */
import { z } from "zod";

/** Version of the rows below. A field may be added; one that changes meaning gets a new version. */
export const PURIFY_SCHEMA = "untrigger/purify@1";

/** Rules by which an answer is made; see `answer` of {@link purifySummary}. */
export const answerRules = ["purified", "verdict"] as const;

/** One of {@link answerRules}. */
export type AnswerRule = (typeof answerRules)[number];

/** Schema of one purified image. Labels are class ids; `null` where nothing can be measured. */
export const purifyRow = z.object({
  /** Relative path of the input. */
  name: z.string(),
  /** Path of the purified picture, relative to the output folder. */
  output: z.string(),
  /** The class that is answered, and its name; see `answer` of the run. */
  label: z.number().int().nullable(),
  labelName: z.string().nullable(),
  /** Class of the input as it came. */
  labelBefore: z.number().int().nullable(),
  /** Class probabilities that are answered, and those of the input as it came, [K]. */
  scores: z.array(z.number()).nullable(),
  scoresBefore: z.array(z.number()).nullable(),
  /** How much purification changed what the classifier says; 0 = nothing. */
  suspicion: z.number(),
  /** Suspicion above the threshold; `null` without a threshold. */
  flagged: z.boolean().nullable(),
});

/** One purified image. */
export type PurifyRow = z.infer<typeof purifyRow>;

/** Schema of what belongs to the whole run. */
export const purifySummary = z.object({
  schema: z.literal(PURIFY_SCHEMA),
  method: z.string(),
  preset: z.string(),
  /** The complete options of each vote. */
  options: z.array(z.record(z.string(), z.unknown())),
  seed: z.number().int(),
  count: z.number().int(),
  flagged: z.number().int().nullable(),
  /**
   * What stands as label and scores: those of the purified image (mean softmax over the votes), or, by `verdict`, those of
   * the input where it is not flagged, and of the purified image without the input's class where it is.
   */
  answer: z.enum(answerRules).default("purified"),
  /** Images whose label changed. */
  changed: z.number().int().nullable(),
  /** What suspicion is made of: `scores`, `labels`, or `weak` (pixels alone, no classifier). */
  suspicion: z.enum(["scores", "labels", "weak"]),
  threshold: z.number().nullable(),
  /** Stated rate of clean images above the threshold, and how many clean images it was calibrated on. */
  falsePositiveRate: z.number().nullable(),
  calibrationCount: z.number().int().nullable(),
  /** Noise deviations in [0, 1] pixel units, by stage. */
  sigma01: z.record(z.string(), z.number()),
  /** Images that the prior's network saw; images that the classifier saw. */
  networkCalls: z.number().int(),
  classifierCalls: z.number().int(),
  priorHash: z.string().nullable(),
  /** How the prior computes; `null` without one. */
  precision: z.enum(["f32", "int8"]).nullable(),
  classifierHash: z.string().nullable(),
});

/** What belongs to a whole run of `purify`. */
export type PurifySummary = z.infer<typeof purifySummary>;
