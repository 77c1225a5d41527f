/** @file A diffusion prior that is ready to run: a predictor with its schedule and image dims. */
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
  dispose(): Promise<void>;
}
