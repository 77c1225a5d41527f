/** @file Metrics and statistics: pure functions of arrays. */
export {
  type AccuracyOptions,
  attackSuccess,
  cleanAccuracy,
  poisonedAccuracy,
  ranks,
  type Target,
  untriggeredFloor,
  winners,
} from "./accuracy.ts";
export { type Certificate, certify, fairCoinTest } from "./certificate.ts";
export { type ConformalThreshold, conformalPValue, conformalThreshold, quantile } from "./conformal.ts";
export { type Count, rate } from "./count.ts";
export { auroc, averagePrecision, fprAtTpr, type RocCurve, rocCurve, tprAtFpr } from "./detection.ts";
export { type ImageDistance, imageDistance, totalVariation } from "./image-distance.ts";
export { clopperPearsonInterval, type Interval, type IntervalOptions, wilsonInterval } from "./intervals.ts";
export { normalCdf, normalDensity, normalQuantile } from "./normal.ts";
export { type McNemar, mcNemar, type Wilcoxon, type WilcoxonOptions, wilcoxon } from "./paired.ts";
export { type SsimOptions, type SsimPadding, ssim, ssimConventions, ssimMap } from "./ssim.ts";
export { labelChanges, largestResidual, softmaxShift } from "./suspicion.ts";
