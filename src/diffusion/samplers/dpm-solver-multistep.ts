/**
 * @file DPM-Solver and DPM-Solver++ multistep (1, 2M, 3M), deterministic and SDE: each step reuses the values of the
 * steps before, so it costs one call. Symbols: see dpm-solver.ts; m0 is the newest value, m1 and m2 are older.
 * D2 enters with half the weight of the Taylor expansion, as in the authors' code, so 3M converges at second order.
 * @source Lu et al. 2022, "DPM-Solver++", Algorithm 2 and appendix A. https://arxiv.org/abs/2211.01095
 */
import { combine } from "../../tensor/arithmetic.ts";
import type { RealTensor } from "../../tensor/tensor.ts";
import type { NoisePredictor } from "../predictor.ts";
import { modelValue, type Node, stepWeights } from "./dpm-solver.ts";
import { needNoise, predictAt, runSteps, type SampleRun } from "./sampling.ts";
import { checkSolver, nodesOf, type SolverOptions } from "./solver-options.ts";

/** Options of {@link dpmSolverMultistep}. */
export interface MultistepOptions extends SampleRun, SolverOptions {
  /**
   * Whether short runs (fewer than 15 steps) end with orders 2 and 1, which is steadier. A step to the clean image has
   * order 1 in any case. @default true
   */
  readonly lowerOrderFinal?: boolean | undefined;
  /**
   * Whether the third-order SDE step has diffusers' weight of D2, whose constant has the wrong sign. Set it only to
   * reproduce diffusers' images: with it the variance converges at first order. @default false
   */
  readonly diffusersSignSlip?: boolean | undefined;
}

/** What the net said at a node. */
interface Known {
  readonly node: Node;
  readonly m: RealTensor;
}

/**
 * Samples x from the grid's first point to its last.
 * @param x [N, C, H, W] at the first point; not modified.
 * @throws OptionError when the grid or order do not fit the algorithm, or noise is missing; the signal's reason when aborted.
 */
export function dpmSolverMultistep(
  predict: NoisePredictor,
  x: RealTensor,
  {
    grid,
    algorithm = "dpmsolver++",
    order = 2,
    form = "midpoint",
    clip,
    lowerOrderFinal = true,
    diffusersSignSlip = false,
    ...run
  }: MultistepOptions,
): Promise<RealTensor> {
  checkSolver("dpm-solver-multistep", { grid, algorithm });
  const steps = nodesOf(grid);
  let history: Known[] = [];
  return runSteps(x, steps, run, async (x, { timestep, s, t }, k) => {
    const prediction = await predictAt(predict, x, timestep, run.signal);
    const m = modelValue(x, prediction, s, { algorithm, clip });
    history = [{ node: s, m }, ...history.slice(0, order - 1)];

    const left = lowerOrderFinal && steps.length < 15 ? steps.length - k : order;
    const usable = t.ratio === 0 ? 1 : Math.min(history.length, left);
    const differences = differencesOf(history.slice(0, usable), t);

    const weights = stepWeights(algorithm, s, t);
    const d2Weight = weights.d2 - (diffusersSignSlip && algorithm === "sde-dpmsolver++" ? t.alpha : 0);
    const d1Weight = usable === 2 && form === "midpoint" ? weights.d1Midpoint : weights.d1;
    const drift = differences.map((d, i) => [i === 0 ? d1Weight : d2Weight, d] as const);
    const noise = weights.noise === 0 ? [] : [[weights.noise, needNoise(algorithm, run.noise?.(k))] as const];
    return combine<RealTensor>([weights.x, x], [weights.d0, m], ...drift, ...noise);
  });
}

/** D1 from two values, D1 and D2 from three; none from one. */
function differencesOf([newest, older, oldest]: readonly Known[], t: Node): RealTensor[] {
  if (newest === undefined || older === undefined) return [];
  const h = t.lambda - newest.node.lambda;
  const r0 = (newest.node.lambda - older.node.lambda) / h;
  const recent = combine([1 / r0, newest.m], [-1 / r0, older.m]);
  if (oldest === undefined) return [recent];
  const r1 = (older.node.lambda - oldest.node.lambda) / h;
  const before = combine([1 / r1, older.m], [-1 / r1, oldest.m]);
  const share = r0 / (r0 + r1);
  return [combine([1 + share, recent], [-share, before]), combine([1 / (r0 + r1), recent], [-1 / (r0 + r1), before])];
}
