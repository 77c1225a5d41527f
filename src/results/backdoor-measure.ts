/** @file What a classifier is measured to do on clean and on triggered images, as records of models hold it. */
import { z } from "zod";

/** Hits out of so many. */
export const hitCount = z.object({ hits: z.int().min(0), total: z.int().min(0) });

/** Share of images, 0..1; `null` where none were measured. */
export const measuredShare = z.number().min(0).max(1).nullable();

/** Schema of the figures, with the counts behind them. */
export const backdoorMeasure = z.object({
  cleanAccuracy: measuredShare,
  /** Of triggered images whose target is another class than their own. */
  poisonedAccuracy: measuredShare,
  attackSuccessRate: measuredShare,
  /** Of all triggered images. */
  poisonedAccuracyAllClasses: measuredShare,
  attackSuccessRateAllClasses: measuredShare,
  /** Clean images of other classes called their target all the same. */
  floor: measuredShare,
  /** The counts behind the shares. */
  counts: z.record(z.string(), hitCount),
});
