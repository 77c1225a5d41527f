/** @file What DPM-Solver is asked for, single- or multistep, and the steps of its grid. */
import { OptionError } from "../../core/errors.ts";
import type { Clip } from "./clean-estimate.ts";
import { type Node, nodeOf, type SolverAlgorithm } from "./dpm-solver.ts";
import type { SolverGrid } from "./solver-grids.ts";

/** Options of both solvers. */
export interface SolverOptions {
  /** The points to step over; see solver-grids.ts. */
  readonly grid: SolverGrid;
  /** @default "dpmsolver++" */
  readonly algorithm?: SolverAlgorithm | undefined;
  /** @default 2 */
  readonly order?: 1 | 2 | 3 | undefined;
  /** How finite differences enter a step. @default "midpoint" */
  readonly form?: "midpoint" | "heun" | undefined;
  /** Range of the predicted clean image; none by default. */
  readonly clip?: Clip | undefined;
}

/** From s to t with one call of the net at s. */
export interface SolverStep {
  readonly timestep: number;
  readonly s: Node;
  readonly t: Node;
}

/** The steps of a grid. */
export function nodesOf({ timesteps, ratios }: SolverGrid): SolverStep[] {
  const nodes = Array.from(ratios, nodeOf);
  return Array.from(timesteps, (timestep, k) => {
    const [s, t] = nodes.slice(k, k + 2);
    if (s === undefined || t === undefined) throw new RangeError("internal: a solver grid has one ratio too few");
    return { timestep, s, t };
  });
}

/** @throws OptionError when the grid does not descend, or ends where the algorithm cannot go. */
export function checkSolver(
  who: string,
  { grid, algorithm }: { readonly grid: SolverGrid; readonly algorithm: SolverAlgorithm },
): void {
  if (grid.ratios.length !== grid.timesteps.length + 1) {
    throw new OptionError(
      `${who}: expected a grid with one point more than timesteps, got ${grid.ratios.length} and ${grid.timesteps.length}.`,
    );
  }
  grid.ratios.forEach((ratio, k) => {
    const before = grid.ratios[k - 1] ?? Number.POSITIVE_INFINITY;
    if (!(ratio >= 0 && ratio < before)) {
      throw new OptionError(`${who}: expected a grid whose noise falls, got ${ratio} after ${before}.`);
    }
  });
  if (algorithm === "sde-dpmsolver" && grid.ratios.at(-1) === 0) {
    throw new OptionError(
      `${who}: expected a grid that ends at index 0 for "sde-dpmsolver", got one that ends on the clean image.`,
    );
  }
}
