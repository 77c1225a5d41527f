/**
 * @file DPM-Solver and DPM-Solver++ singlestep: groups of 1, 2 or 3 points. Within a group each step starts again from
 * the group's first point s with what is known inside the group, so a group of n costs n calls and has order n.
 * Symbols: see dpm-solver.ts; m_s, m_1, m_2 are the values at the group's points.
 * The SDE form is diffusers'. Its noises within a group are independent, which costs it its order: on Gaussian data the
 * deviation is 5 % too small at 160 steps, where multistep is 0.04 % off. The registry does not offer it.
 * @source Lu et al. 2022, "DPM-Solver", Algorithms 1 and 2. https://arxiv.org/abs/2206.00927
 */
import { combine } from "../../tensor/arithmetic.ts";
import type { RealTensor } from "../../tensor/tensor.ts";
import type { NoisePredictor } from "../predictor.ts";
import { modelValue, type Node, stepWeights } from "./dpm-solver.ts";
import { needNoise, predictAt, runSteps, type SampleRun } from "./sampling.ts";
import { checkSolver, nodesOf, type SolverOptions } from "./solver-options.ts";

/** Options of {@link dpmSolverSinglestep}. */
export interface SinglestepOptions extends SampleRun, Omit<SolverOptions, "form"> {
  /**
   * How finite differences enter a step: diffusers' `midpoint` or `heun` everywhere, or as the `paper` has it, whose
   * third-order group takes its inner second-order step like `heun` and its last step like `midpoint`.
   * @default "midpoint"
   */
  readonly form?: "midpoint" | "heun" | "paper" | undefined;
  /**
   * Whether the run ends with groups of 2 and 1; forced where the number of steps is no multiple of the order, or the
   * grid ends on the clean image. @default false
   */
  readonly lowerOrderFinal?: boolean | undefined;
}

/** A point of the group, and what the net said there. */
interface Known {
  readonly node: Node;
  readonly m: RealTensor;
}

/**
 * Samples x from the grid's first point to its last.
 * @param x [N, C, H, W] at the first point; not modified.
 * @throws OptionError when the grid does not fit the algorithm, or noise is missing; the signal's reason when aborted.
 */
export function dpmSolverSinglestep(
  predict: NoisePredictor,
  x: RealTensor,
  {
    grid,
    algorithm = "dpmsolver++",
    order = 2,
    form = "midpoint",
    clip,
    lowerOrderFinal = false,
    ...run
  }: SinglestepOptions,
): Promise<RealTensor> {
  checkSolver("dpm-solver-singlestep", { grid, algorithm });
  const steps = nodesOf(grid);
  const toClean = grid.ratios.at(-1) === 0;
  const orders = singlestepOrders(steps.length, order, { lowerOrderFinal, toClean });
  let base = x;
  let group: Known[] = [];
  return runSteps(x, steps, run, async (x, { timestep, s, t }, k) => {
    const prediction = await predictAt(predict, x, timestep, run.signal);
    const known = { node: s, m: modelValue(x, prediction, s, { algorithm, clip }) };
    if (orders[k] === 1) [base, group] = [x, [known]];
    else group = [...group, known];

    const [first = known] = group;
    const weights = stepWeights(algorithm, first.node, t);
    const inner = orders[k] === 2 && orders[k + 1] === 3;
    const drift = driftOf(group, { t, weights, form: form !== "paper" ? form : inner ? "heun" : "midpoint" });
    const noise = weights.noise === 0 ? [] : [[weights.noise, needNoise(algorithm, run.noise?.(k))] as const];
    return combine<RealTensor>([weights.x, base], [weights.d0, first.m], ...drift, ...noise);
  });
}

/** The terms beyond D0 = m_s: finite differences over the group, weighted. */
function driftOf(
  [first, second, third]: readonly Known[],
  {
    t,
    weights,
    form,
  }: { readonly t: Node; readonly weights: ReturnType<typeof stepWeights>; readonly form: "midpoint" | "heun" },
): (readonly [number, RealTensor])[] {
  if (first === undefined || second === undefined) return [];
  const h = t.lambda - first.node.lambda;
  const slopeTo = ({ node, m }: Known): RealTensor => {
    const r = (node.lambda - first.node.lambda) / h;
    return combine([1 / r, m], [-1 / r, first.m]);
  };
  const slope1 = slopeTo(second);
  if (third === undefined) return [[form === "midpoint" ? weights.d1Midpoint : weights.d1, slope1]];
  const slope2 = slopeTo(third);
  if (form === "midpoint") return [[weights.d1, slope2]];
  const r1 = (second.node.lambda - first.node.lambda) / h;
  const r2 = (third.node.lambda - first.node.lambda) / h;
  return [
    [weights.d1, combine([r2 / (r2 - r1), slope1], [-r1 / (r2 - r1), slope2])],
    [weights.d2, combine([2 / (r2 - r1), slope2], [-2 / (r2 - r1), slope1])],
  ];
}

/**
 * The order of each step: 1 starts a group, 2 and 3 go on from its first point.
 * @source diffusers' DPMSolverSinglestepScheduler, `get_order_list`
 */
export function singlestepOrders(
  steps: number,
  order: 1 | 2 | 3,
  { lowerOrderFinal, toClean }: { readonly lowerOrderFinal: boolean; readonly toClean: boolean },
): number[] {
  const group = [1, 2, 3].slice(0, order);
  const groups = (count: number) => Array.from({ length: count }, () => group).flat();
  const rest = steps % order;
  const whole = Math.floor(steps / order);
  if (rest === 0 && !lowerOrderFinal && !toClean) return groups(whole);
  const orders =
    rest === 0 ? [...groups(whole - 1), ...group.slice(0, -1), 1] : [...groups(whole), ...group.slice(0, rest)];
  return toClean ? [...orders.slice(0, -1), 1] : orders;
}
