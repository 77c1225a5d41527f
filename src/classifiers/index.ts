/** @file Classifiers as black boxes, ONNX files and HTTP endpoints; and with gradients, ONNX files alone. */
export type { Classification, Classifier, ScoreKind } from "./classifier.ts";
export {
  type DifferentiableClassifier,
  type DifferentiableFlags,
  type LossGradient,
  openDifferentiableClassifier,
  type Targets,
} from "./differentiable.ts";
export { type FeatureClassifier, type FeatureGradient, openFeatureClassifier } from "./features.ts";
export { type GradientSettings, gradient } from "./gradient.ts";
export { type HttpClassifierOptions, openHttpClassifier, protocols } from "./http.ts";
export type { Fetch } from "./http-client.ts";
export type { Layout } from "./image-input.ts";
export { type Loss, type LossInputs, type LossName, losses } from "./losses.ts";
export { type ClassifierFlags, type OnnxClassifierFiles, openOnnxClassifier } from "./onnx.ts";
export type { SignatureFlags } from "./onnx-signature.ts";
export type { PreprocessingFlags } from "./preprocessing.ts";
export { toProbabilities } from "./probability.ts";
export { type ClassifierToSave, saveClassifier } from "./save-classifier.ts";
export { openWhiteBox, requireGradients, requireWhiteBox, type WhiteBox } from "./white-box.ts";
