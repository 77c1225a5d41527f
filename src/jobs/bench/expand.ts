/**
 * @file From a plan to its cells, each with its key, and the models that they share. Everything that cannot be done is
 * refused here, before any work: first what the plan alone tells, then what data, priors and models say.
 */
import type { ReadPlan } from "../../bench/read-plan.ts";
import { OptionError, ToolkitError } from "../../core/errors.ts";
import { hashJson } from "../../core/hash.ts";
import { BENCH_SCHEMA } from "../../results/bench-row.ts";
import { formatDims, sameDims } from "../../tensor/shape.ts";
import { type CellModel, createModelTable, type ModelTable } from "./cell-model.ts";
import { type Grid, gridsOf } from "./grid.ts";
import { type CellJob, JOB_SCHEMA } from "./job.ts";
import type { PlanHost, SplitFacts } from "./plan-host.ts";
import { type ResolvedPurifier, resolveAttack, resolvePurifier } from "./resolve.ts";

/** More cells than this are a mistake, or several plans. */
export const MAX_CELLS = 100_000;

/** A plan written out. */
export interface ExpandedPlan extends Pick<ModelTable, "models" | "folders"> {
  /** In the order of the plan; those that share a model side by side. */
  readonly cells: readonly CellJob[];
}

/**
 * Expands a plan.
 * @param command the command that computes the cell of a key again.
 * @throws OptionError, ShapeError, InputError, FormatError for whatever cannot be done; each says where in the plan.
 */
export async function expandPlan(
  read: ReadPlan,
  host: PlanHost,
  command: (key: string) => string,
): Promise<ExpandedPlan> {
  const { plan, locate } = read;
  const at = <T>(path: readonly (string | number)[], work: () => T): T => located(locate(path), work);
  const grids = gridsOf(read).map((grid) => ({
    grid,
    attacks: grid.attacks.map((attack, i) => at(grid.path("attacks", i), () => resolveAttack(attack, grid.model))),
    purifiers: grid.purifiers.map((purifier, i) => at(grid.path("purifiers", i), () => resolvePurifier(purifier))),
  }));
  const total = grids.reduce((sum, { grid }) => sum + countCells(grid), 0);
  if (total > MAX_CELLS) throw new OptionError(`${locate([])}: expected at most ${MAX_CELLS} cells, got ${total}.`);
  for (const { grid, purifiers } of grids) {
    for (const [i, purifier] of purifiers.entries()) at(grid.path("purifiers", i), () => requireMeans(grid, purifier));
  }

  const table = createModelTable(host);
  const cells = new Map<string, { readonly job: CellJob; readonly where: () => string }>();
  for (const { grid, attacks, purifiers } of grids) {
    const facts = await at(grid.path("data"), () => factsOf(grid, host));
    const priors: CellJob["prior"][] = [];
    for (const [i, purifier] of purifiers.entries()) {
      priors.push(await at(grid.path("purifiers", i), () => priorOf(grid, purifier, facts.split, host)));
    }
    for (const [a, attack] of attacks.entries()) {
      for (const seed of grid.seeds) {
        const model = await at(grid.path("attacks", a), () =>
          table.take({ attack, data: grid.data, shape: facts.split.shape, seed }),
        );
        for (const [p, purifier] of purifiers.entries()) {
          const job = cellOf({ grid, facts, model, purifier, prior: priors[p] ?? null, seed, command }, plan);
          // In words only for whoever has to read them.
          const where = (): string =>
            `${locate(grid.path("attacks", a))}, with ${grid.path("purifiers", p).join(".")} and seed ${seed}`;
          const first = cells.get(job.key);
          if (first !== undefined) throw doubled(job, first.where(), where());
          cells.set(job.key, { job, where });
        }
      }
    }
  }
  return { cells: [...cells.values()].map(({ job }) => job), models: table.models, folders: table.folders };
}

function doubled(job: CellJob, first: string, second: string): OptionError {
  const [, ...firstPlace] = first.split(", ");
  return new OptionError(
    `${second}: expected every cell once, got ${nameCell(job)} that is the same as ${firstPlace.join(", ")}.`,
  );
}

/** What all cells of a grid share. */
interface GridFacts {
  readonly split: SplitFacts;
  readonly data: CellJob["data"];
  readonly calibration: CellJob["calibration"];
}

/** A cell in words: `badnets paper against diffpure fast int8`. */
export function nameCell({ attack, purifier, prior }: Pick<CellJob, "attack" | "purifier" | "prior">): string {
  const words = (...parts: readonly (string | null)[]): string => parts.filter((part) => part !== null).join(" ");
  const precision = prior?.precision === "int8" ? "int8" : null;
  const answer = purifier.answer === "verdict" ? "verdict" : null;
  return `${words(attack.name, attack.preset)} against ${words(purifier.name, purifier.preset, precision, answer)}`;
}

/** @throws OptionError when a grid lacks what a purifier cannot do without. */
function requireMeans({ prior, calibration }: Grid, { name, needsPrior, answer }: ResolvedPurifier): void {
  if (needsPrior && prior === undefined) throw new OptionError(`expected a prior for ${name}, got none.`);
  if (answer === "verdict" && calibration === 0) {
    throw new OptionError("expected calibration images for the answer verdict, got 0.");
  }
}

function countCells({ attacks, purifiers, seeds }: Grid): number {
  return attacks.length * purifiers.length * seeds.length;
}

async function factsOf(grid: Grid, host: PlanHost): Promise<GridFacts> {
  const split = await host.split(grid.data, grid.split);
  const images = split.choose(grid.images);
  const data = { name: split.name, path: grid.data, split: grid.split, sha256: split.sha256, images };
  if (grid.calibration === 0) return { split, data, calibration: null };
  const validation = await host.split(grid.data, "validation");
  // No image that is measured sets the threshold.
  const skip = grid.split === "validation" ? grid.images : 0;
  return {
    split,
    data,
    calibration: { images: validation.choose(grid.calibration, skip), falsePositiveRate: grid.falsePositiveRate },
  };
}

async function priorOf(
  { prior }: Grid,
  { name, needsPrior, precision }: ResolvedPurifier,
  { shape }: SplitFacts,
  host: PlanHost,
): Promise<CellJob["prior"]> {
  if (!needsPrior || prior === undefined) return null;
  const facts = await host.prior(prior, precision);
  if (!sameDims(facts.shape, shape)) {
    throw new OptionError(
      `${name}: expected a prior for images of ${formatDims(shape)}, got ${prior} for ${formatDims(facts.shape)}.`,
    );
  }
  return { path: prior, precision, hash: facts.hash };
}

function cellOf(
  cell: {
    readonly grid: Grid;
    readonly facts: GridFacts;
    readonly model: CellModel;
    readonly purifier: ResolvedPurifier;
    readonly prior: CellJob["prior"];
    readonly seed: number;
    readonly command: (key: string) => string;
  },
  { batch, sheet }: ReadPlan["plan"],
): CellJob {
  const { facts, model, purifier, prior, seed, command } = cell;
  const { name, preset, votes, answer } = purifier;
  // Without a purifier nothing tells how suspicious an image is.
  const calibration = votes.length === 0 ? null : facts.calibration;
  const key = hashJson({
    schema: BENCH_SCHEMA,
    images: facts.data.images.sha256,
    calibration: calibration && [calibration.images.sha256, calibration.falsePositiveRate],
    model: model.model,
    threat: model.threat === "evasion" ? [model.attack.name, model.attack.options] : model.threat,
    purifier: answer === "purified" ? [name, votes] : [name, votes, answer],
    prior: prior?.hash ?? null,
    seed,
  });
  return {
    schema: JOB_SCHEMA,
    kind: "cell",
    key,
    data: facts.data,
    calibration,
    ...model,
    purifier: { name, preset, votes: [...votes], answer },
    prior,
    seed,
    batch,
    sheet,
    command: command(key),
  };
}

/** Adds where in the plan it stands to what is refused. */
function located<T>(where: string, work: () => T): T {
  const rethrow = (error: unknown): never => {
    if (error instanceof ToolkitError) error.message = `${where}: ${error.message}`;
    throw error;
  };
  try {
    const result = work();
    return result instanceof Promise ? (result.catch(rethrow) as T) : result;
  } catch (error) {
    return rethrow(error);
  }
}
