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
export { type Anomaly, anomaly } from "./anomaly.ts";
export { type Certificate, certify, fairCoinTest } from "./certificate.ts";
export { type ConformalThreshold, conformalPValue, conformalThreshold, quantile } from "./conformal.ts";
export { type Count, rate } from "./count.ts";
export { auroc, averagePrecision, fprAtTpr, type RocCurve, rocCurve, tprAtFpr } from "./detection.ts";
export { frechetDistance } from "./frechet/distance.ts";
export { type FeatureGatherer, type FeatureStatistics, gatherFeatures } from "./frechet/statistics.ts";
export { gradientSimilarityDeviation } from "./gradient-similarity.ts";
export { type ImageDistance, imageDistance, totalVariation } from "./image-distance.ts";
export { clopperPearsonInterval, type Interval, type IntervalOptions, wilsonInterval } from "./intervals.ts";
export { normalCdf, normalDensity, normalQuantile } from "./normal.ts";
export { type McNemar, mcNemar, type Wilcoxon, type WilcoxonOptions, wilcoxon } from "./paired.ts";
export { type Region, regionsOf } from "./regions/components.ts";
export { distanceTransform } from "./regions/distance-transform.ts";
export type { Mask } from "./regions/mask.ts";
export { closing, dilate, erode, type MorphologyOptions, type Neighbours, opening } from "./regions/morphology.ts";
export { otsuThreshold } from "./regions/otsu.ts";
export { type SsimOptions, type SsimPadding, ssim, ssimConventions, ssimMap } from "./ssim.ts";
export { labelChanges, largestResidual, softmaxShift } from "./suspicion.ts";
