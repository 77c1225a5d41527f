/** @file Classifiers as black boxes: ONNX files and HTTP endpoints. */
export type { Classification, Classifier, ScoreKind } from "./classifier.ts";
export { type HttpClassifierOptions, openHttpClassifier, protocols } from "./http.ts";
export type { Fetch } from "./http-client.ts";
export type { Layout } from "./image-input.ts";
export { type ClassifierFlags, type OnnxClassifierFiles, openOnnxClassifier } from "./onnx.ts";
export type { SignatureFlags } from "./onnx-signature.ts";
export type { PreprocessingFlags } from "./preprocessing.ts";
export { toProbabilities } from "./probability.ts";
