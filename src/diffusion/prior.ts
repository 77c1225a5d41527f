/** @file A diffusion prior that is ready to run: a predictor with its schedule and image dims. */
import type { Graph } from "../graph/ir.ts";
import type { NoisePredictor } from "./predictor.ts";
import type { NoiseSchedule } from "./schedule.ts";

/** How a net computes: all in float32, or its convolutions in 8-bit integers. */
export type Precision = "f32" | "int8";

/** A loaded diffusion model. Whoever opens it disposes it. */
export interface Prior {
  readonly predict: NoisePredictor;
  readonly schedule: NoiseSchedule;
  readonly dims: { readonly channels: number; readonly height: number; readonly width: number };
  /** How the net's authors sample the reverse variance. */
  readonly variance: "fixed-small" | "fixed-large" | "learned-range";
  /** SHA-256 of the ONNX graph that runs (weights included). */
  readonly hash: string;
  /** `f32` when left out. */
  readonly precision?: Precision | undefined;
  /**
   * What one call of the net takes noisy images for, as a graph in float32 that has gradients: see `one-shot.ts`. Left out
   * where the prior is no graph.
   * @param index of the schedule, 0..T-1.
   */
  denoiser?(index: number, signal?: AbortSignal): Promise<Graph>;
  dispose(): Promise<void>;
}
