/** @file A classifier as a black box: images in, scores out. */
import type { Float32Tensor } from "../tensor/tensor.ts";

/** What the scores are. Labels are one-hot rows: all that is known is the winner. */
export type ScoreKind = "logits" | "probabilities" | "labels";

/** Scores of a batch. */
export interface Classification {
  /** [N, K] */
  readonly scores: Float32Tensor;
  readonly kind: ScoreKind;
}

/** A black-box classifier. Whoever opens it disposes it. */
export interface Classifier {
  /**
   * @param images float32 [N, C, H, W] in [0, 1]; preprocessing (mean, deviation, rescaling) is inside.
   * @throws ShapeError when C, H or W are not what the classifier takes; EndpointError when a server fails.
   */
  classify(images: Float32Tensor, signal?: AbortSignal): Promise<Classification>;
  /** Names of the classes, where known. */
  readonly labels: readonly string[] | undefined;
  /** What images must look like; a missing number means any. */
  readonly input: { readonly channels?: number; readonly height?: number; readonly width?: number };
  /** SHA-256 of the model file, or of the endpoint's address. */
  readonly hash: string;
  /** How many images have been classified so far. */
  readonly calls: number;
  dispose(): Promise<void>;
}
