/**
 * @file Mathematics that DPM-Solver and DPM-Solver++ share, single- and multistep, deterministic and stochastic.
 *
 * | here       | papers             | meaning                                                              |
 * |------------|--------------------|----------------------------------------------------------------------|
 * | ratio      | sigma / alpha      | noise deviation over image scale; diffusers' and k-diffusion's sigma  |
 * | alpha      | alpha_t            | sqrt(alphaBar)                                                       |
 * | sigma      | sigma_t            | sqrt(1 - alphaBar)                                                   |
 * | lambda     | lambda_t           | log(alpha / sigma), grows towards the clean image                    |
 * | h          | h                  | lambda_t - lambda_s > 0 for a step from s (noisier) to t             |
 * | m          | epsilon_theta, x_theta | noise for DPM-Solver, clean image for DPM-Solver++               |
 * | D0, D1, D2 | D_0, D_1, D_2      | m at s and its finite differences in lambda                          |
 * @source Lu et al. 2022, "DPM-Solver", eq. 3.7 and appendix B. https://arxiv.org/abs/2206.00927
 * @source Lu et al. 2022, "DPM-Solver++", eq. 9 and appendix A (SDE form). https://arxiv.org/abs/2211.01095
 */
import type { RealTensor } from "../../tensor/tensor.ts";
import type { Prediction } from "../predictor.ts";
import { type Clip, clipX0, estimateX0, noiseBetween } from "./clean-estimate.ts";

/** `dpmsolver` integrates the noise, `dpmsolver++` the clean image; `sde-` adds fresh noise in every step. */
export type SolverAlgorithm = "dpmsolver" | "dpmsolver++" | "sde-dpmsolver" | "sde-dpmsolver++";

/** A point of the trajectory. */
export interface Node {
  readonly ratio: number;
  readonly alpha: number;
  readonly sigma: number;
  readonly lambda: number;
}

/** The node of a ratio; ratio 0 is the clean image, where lambda is infinite. */
export function nodeOf(ratio: number): Node {
  const alpha = 1 / Math.sqrt(ratio * ratio + 1);
  return { ratio, alpha, sigma: ratio * alpha, lambda: -Math.log(ratio) };
}

/** What the solver integrates at a node: the clipped clean image for `…++`, the noise (that of the clipped image) else. */
export function modelValue(
  x: RealTensor,
  prediction: Prediction,
  { ratio }: Node,
  { algorithm, clip }: { readonly algorithm: SolverAlgorithm; readonly clip: Clip | undefined },
): RealTensor {
  const alphaBar = 1 / (ratio * ratio + 1);
  if (algorithm.endsWith("++")) return clipX0(estimateX0(x, prediction, alphaBar), clip);
  if (clip === undefined) return prediction.noise;
  return noiseBetween(x, clipX0(estimateX0(x, prediction, alphaBar), clip), alphaBar);
}

/** Weights of x, of D0, D1, D2 and of fresh noise in a step from s to t. */
export interface StepWeights {
  readonly x: number;
  readonly d0: number;
  /** Of D1 where m is taken as constant beside its value halfway (`midpoint`). */
  readonly d1Midpoint: number;
  /** Of D1 where m is taken as linear in lambda (`heun`, and every third-order step). */
  readonly d1: number;
  readonly d2: number;
  readonly noise: number;
}

/**
 * The weights of a step. To the clean image (ratio 0) only first order is finite, and `sde-dpmsolver` has no such step.
 */
export function stepWeights(algorithm: SolverAlgorithm, s: Node, t: Node): StepWeights {
  const h = t.lambda - s.lambda;
  const weights = {
    dpmsolver: () => noiseWeights(s, t, 1),
    "sde-dpmsolver": () => noiseWeights(s, t, 2),
    "dpmsolver++": () => cleanImageWeights(s, t, { decay: 1, h }),
    "sde-dpmsolver++": () => cleanImageWeights(s, t, { decay: Math.exp(-h), h: 2 * h }),
  }[algorithm]();
  return { ...weights, d1Midpoint: weights.d0 / 2, noise: freshNoise(algorithm, t, h) };
}

type DriftWeights = Omit<StepWeights, "noise" | "d1Midpoint">;

/** Exponential integrator of the clean image; the SDE's has the same form over 2h, and forgets x faster. */
function cleanImageWeights(s: Node, t: Node, { decay, h }: { decay: number; h: number }): DriftWeights {
  const phi1 = Math.expm1(-h);
  return {
    x: (t.sigma / s.sigma) * decay,
    d0: -t.alpha * phi1,
    d1: t.alpha * (phi1 / h + 1),
    d2: -t.alpha * ((phi1 + h) / (h * h) - 0.5),
  };
}

/** Exponential integrator of the noise; the SDE doubles the drift. */
function noiseWeights(s: Node, t: Node, drift: 1 | 2): DriftWeights {
  const h = t.lambda - s.lambda;
  const phi1 = Math.expm1(h);
  return {
    x: t.alpha / s.alpha,
    // sigma_t (e^h - 1), written so that it stays finite where sigma_t is 0.
    d0: -drift * (t.alpha * s.ratio - t.sigma),
    d1: -drift * t.sigma * (phi1 / h - 1),
    d2: -drift * t.sigma * ((phi1 - h) / (h * h) - 0.5),
  };
}

function freshNoise(algorithm: SolverAlgorithm, t: Node, h: number): number {
  if (algorithm === "sde-dpmsolver++") return t.sigma * Math.sqrt(-Math.expm1(-2 * h));
  if (algorithm === "sde-dpmsolver") return t.sigma * Math.sqrt(Math.expm1(2 * h));
  return 0;
}
