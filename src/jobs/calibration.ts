/**
 * @file Thresholds on suspicion: the scores of clean images, from a folder that the user gives or from a file that ships
 * beside a prior. A threshold belongs to one method with its options, one prior and one classifier, never to others.
 */
import { z } from "zod";
import { FormatError, messageOf } from "../core/errors.ts";
import { conformalThreshold } from "../metrics/conformal.ts";

/** Version of the file below. */
export const CALIBRATION_SCHEMA = "untrigger/calibration@1";

const calibrationFile = z.object({
  schema: z.literal(CALIBRATION_SCHEMA),
  entries: z.array(
    z.object({
      /** {@link OpenPurifier.key}: method, options of all votes, prior. */
      key: z.string(),
      method: z.string(),
      preset: z.string(),
      /** SHA-256 of the classifier. */
      classifier: z.string(),
      /** What the clean images were. */
      images: z.string(),
      /** Suspicion of each clean image, ascending. */
      scores: z.array(z.number()),
    }),
  ),
});

/** Calibrations for several methods and classifiers, as shipped beside a prior. */
export type CalibrationFile = z.infer<typeof calibrationFile>;

/** A threshold with what it promises. */
export interface Threshold {
  /** Images above it are flagged; `null` when nothing is known, or too few clean images for this rate. */
  readonly value: number | null;
  readonly falsePositiveRate: number | null;
  /** How many clean images it rests on. */
  readonly count: number | null;
}

/** No threshold, no flags. */
export const NO_THRESHOLD: Threshold = { value: null, falsePositiveRate: null, count: null };

/** The threshold that flags at most `rate` of clean images, by split conformal calibration. */
export function thresholdFrom(scores: ArrayLike<number>, rate: number): Threshold {
  const { threshold } = conformalThreshold(scores, rate);
  return { value: Number.isFinite(threshold) ? threshold : null, falsePositiveRate: rate, count: scores.length };
}

/** Finds the scores for these settings and this classifier. */
export function findCalibration(file: CalibrationFile, key: string, classifier: string): readonly number[] | undefined {
  return file.entries.find((entry) => entry.key === key && entry.classifier === classifier)?.scores;
}

/** Reads a calibration file. @throws FormatError when it is not one. */
export function parseCalibration(bytes: Uint8Array): CalibrationFile {
  try {
    return calibrationFile.parse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch (error) {
    throw new FormatError(`calibration.json: expected ${CALIBRATION_SCHEMA}; ${messageOf(error)}`, { cause: error });
  }
}
