/** @file A plan's grids with everything filled in that was left out, and every list that a cell needs in its place. */
import type { AttackPlan, GridPlan, ModelPlan, Plan } from "../../bench/plan.ts";
import type { PlanPath, ReadPlan } from "../../bench/read-plan.ts";
import { OptionError } from "../../core/errors.ts";

/** The columns of a grid as a plan names them, by list. */
export type ColumnPlans = {
  readonly [List in "purifiers" | "repairs" | "inverters" | "scans"]: NonNullable<GridPlan[List]>;
};

/** A grid, complete; beside each list the way to it in the plan, for messages. */
export interface Grid {
  readonly data: string;
  readonly split: "validation" | "test";
  readonly images: number;
  readonly calibration: number;
  readonly falsePositiveRate: number;
  readonly seeds: readonly number[];
  readonly model: ModelPlan;
  readonly prior: string | undefined;
  readonly attacks: readonly AttackPlan[];
  /** At least one in all. */
  readonly columns: ColumnPlans;
  /** Where a part of the grid stands: its own, or that above the grids. */
  path(part: keyof GridPlan, ...rest: PlanPath): PlanPath;
}

const defaults = { split: "test", images: 500, calibration: 100, falsePositiveRate: 0.05, seeds: [0] } as const;

/** The grids of a plan. @throws OptionError when one has no data, attacks or columns, or a seed twice. */
export function gridsOf({ plan, locate }: Pick<ReadPlan, "plan" | "locate">): readonly Grid[] {
  const { grids } = plan;
  if (grids === undefined) return [gridOf(plan, plan, { locate, at: [] })];
  return grids.map((grid, i) => gridOf(plan, grid, { locate, at: ["grids", i] }));
}

function gridOf(
  plan: Plan,
  own: GridPlan,
  { locate, at }: { readonly locate: ReadPlan["locate"]; readonly at: PlanPath },
): Grid {
  const needed = <Part extends "data" | "attacks">(part: Part): NonNullable<GridPlan[Part]> => {
    const value = own[part] ?? plan[part];
    if (value !== undefined) return value;
    throw new OptionError(`${locate(at)}: expected ${part}, got none.`);
  };
  const grid: Grid = {
    data: needed("data"),
    split: own.split ?? plan.split ?? defaults.split,
    images: own.images ?? plan.images ?? defaults.images,
    calibration: own.calibration ?? plan.calibration ?? defaults.calibration,
    falsePositiveRate: own.falsePositiveRate ?? plan.falsePositiveRate ?? defaults.falsePositiveRate,
    seeds: own.seeds ?? plan.seeds ?? defaults.seeds,
    model: mergedModel(plan.model, own === plan ? undefined : own.model),
    prior: own.prior ?? plan.prior,
    attacks: needed("attacks"),
    columns: {
      purifiers: own.purifiers ?? plan.purifiers ?? [],
      repairs: own.repairs ?? plan.repairs ?? [],
      inverters: own.inverters ?? plan.inverters ?? [],
      scans: own.scans ?? plan.scans ?? [],
    },
    path: (part, ...rest) => [...(own[part] === undefined ? [] : at), part, ...rest],
  };
  if (Object.values(grid.columns).every((list) => list.length === 0)) {
    throw new OptionError(`${locate(at)}: expected purifiers, repairs, inverters or scans, got none of them.`);
  }
  const twice = grid.seeds.findIndex((seed, i) => grid.seeds.indexOf(seed) < i);
  if (twice >= 0) {
    throw new OptionError(
      `${locate(grid.path("seeds", twice))}: expected every seed once, got ${grid.seeds[twice]} twice.`,
    );
  }
  return grid;
}

/** What is said about training, with what is said closer to it; options are merged one by one. */
export function mergedModel(outer: ModelPlan = {}, inner: ModelPlan = {}): ModelPlan {
  // Options of one architecture mean nothing to another.
  const same = inner.architecture === undefined || inner.architecture === outer.architecture;
  return {
    ...outer,
    ...inner,
    options: { ...(same ? outer.options : {}), ...inner.options },
    recipe: { ...outer.recipe, ...inner.recipe },
  };
}
