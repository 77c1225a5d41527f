/**
 * @file From a plan to its cells, each with its key, and the models that they share. Everything that cannot be done is
 * refused here, before any work: first what the plan alone tells, then what data, priors and models say.
 */
import type { PlanPath, ReadPlan } from "../../bench/read-plan.ts";
import { OptionError, ToolkitError } from "../../core/errors.ts";
import { formatDims, sameDims } from "../../tensor/shape.ts";
import { cellKey } from "./cell-key.ts";
import { createModelTable, type ModelTable } from "./cell-model.ts";
import type { Column } from "./columns/column.ts";
import { columnsOf, type PlacedColumn } from "./columns/columns-of.ts";
import { type Grid, gridsOf } from "./grid.ts";
import { type CellDefence, type CellJob, JOB_SCHEMA } from "./job.ts";
import type { ChosenImages, PlanHost, SplitFacts } from "./plan-host.ts";
import { type ResolvedAttack, resolveAttack } from "./resolve.ts";

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
    columns: columnsOf(grid, (path, work) => at(path, work)),
  }));
  const total = grids.reduce(
    (sum, { grid, columns }) => sum + grid.attacks.length * columns.length * grid.seeds.length,
    0,
  );
  if (total > MAX_CELLS) throw new OptionError(`${locate([])}: expected at most ${MAX_CELLS} cells, got ${total}.`);
  for (const { grid, attacks, columns } of grids) {
    for (const { column, path } of columns) at(path, () => requireMeans(column, grid, attacks));
  }

  const table = createModelTable(host);
  const cells = new Map<string, { readonly job: CellJob; readonly where: () => string }>();
  for (const { grid, attacks, columns } of grids) {
    const facts = await at(grid.path("data"), () => factsOf(grid, host));
    const priors: CellJob["prior"][] = [];
    for (const { column, path } of columns) {
      priors.push(await at(path, () => priorOf(grid, column, facts.split, host)));
    }
    const defences = new Map<number, readonly CellDefence[]>();
    for (const seed of grid.seeds) defences.set(seed, await completed(columns, { grid, facts, seed, host, at }));
    for (const [a, attack] of attacks.entries()) {
      const place = grid.path("attacks", a);
      for (const { column } of columns) await at(place, () => requireGradients(column, attack, facts.split, host));
      for (const seed of grid.seeds) {
        const model = await at(place, () => table.take({ attack, data: grid.data, shape: facts.split.shape, seed }));
        for (const [c, { column, path }] of columns.entries()) {
          const defence = defences.get(seed)?.[c];
          if (defence === undefined) continue;
          const calibration = column.calibration === "none" ? null : facts.calibration;
          const parts = { data: facts.data, calibration, ...model, defence, prior: priors[c] ?? null, seed };
          const key = cellKey(parts);
          const { batch, sheet } = plan;
          const job: CellJob = { schema: JOB_SCHEMA, kind: "cell", key, ...parts, batch, sheet, command: command(key) };
          // In words only for whoever has to read them.
          const where = (): string => `${locate(place)}, with ${path.join(".")} and seed ${seed}`;
          const first = cells.get(key);
          if (first !== undefined) throw doubled(job, first.where(), where());
          cells.set(key, { job, where });
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
  /** Images of the validation split that are measured: columns see none of them. */
  readonly skip: number;
  readonly data: CellJob["data"];
  readonly calibration: CellJob["calibration"];
}

/** A cell in words: `badnets paper against diffpure fast int8`. */
export function nameCell({ attack, defence, prior }: Pick<CellJob, "attack" | "defence" | "prior">): string {
  return `${nameMethod(attack)} against ${nameDefence({ defence, prior })}`;
}

/** A defence in words: `diffpure fast int8`. */
export function nameDefence({ defence, prior }: Pick<CellJob, "defence" | "prior">): string {
  const precision = prior?.precision === "int8" ? ["int8"] : [];
  const answer = defence.kind === "purifier" && defence.answer === "verdict" ? ["verdict"] : [];
  return [nameMethod(defence), ...precision, ...answer].join(" ");
}

/** A method in words: `badnets paper`. */
export function nameMethod({ name, preset }: { readonly name: string; readonly preset: string | null }): string {
  return preset === null ? name : `${name} ${preset}`;
}

/** @throws OptionError when a grid lacks what a column cannot do without, or has attacks that it has nothing to do with. */
function requireMeans(
  { name, needsPrior, calibration, searches }: Column,
  grid: Grid,
  attacks: readonly ResolvedAttack[],
): void {
  if (needsPrior && grid.prior === undefined) throw new OptionError(`expected a prior for ${name}, got none.`);
  if (calibration === "needed" && grid.calibration === 0) {
    throw new OptionError("expected calibration images for the answer verdict, got 0.");
  }
  const evasion = attacks.find(({ kind }) => kind === "evasion");
  if (searches && evasion?.kind === "evasion") {
    throw new OptionError(
      `${name}: expected attacks that plant something in the model, or none, got ${evasion.name}, which leaves nothing there to be found. Do give it a grid of its own.`,
    );
  }
}

/** @throws what the host throws for a model without gradients; those that are trained here have them. */
async function requireGradients(
  { searches }: Column,
  attack: ResolvedAttack,
  { shape }: SplitFacts,
  host: PlanHost,
): Promise<void> {
  if (searches && attack.kind === "folder") await host.gradients(attack.folder, shape);
}

/** The defences of a grid's columns for a seed. */
async function completed(
  columns: readonly PlacedColumn[],
  {
    grid,
    facts,
    seed,
    host,
    at,
  }: {
    readonly grid: Grid;
    readonly facts: GridFacts;
    readonly seed: number;
    readonly host: PlanHost;
    readonly at: <T>(path: PlanPath, work: () => T) => T;
  },
): Promise<CellDefence[]> {
  const { split, skip } = facts;
  const { shape, classes } = split;
  const clean = async (count: number): Promise<ChosenImages> =>
    (await host.split(grid.data, "validation")).choose({ count, skip, seed });
  const defences: CellDefence[] = [];
  for (const { column, path } of columns) {
    defences.push(await at(path, () => column.complete({ shape, classes, clean, host })));
  }
  return defences;
}

async function factsOf(grid: Grid, host: PlanHost): Promise<GridFacts> {
  const split = await host.split(grid.data, grid.split);
  const images = split.choose({ count: grid.images });
  const data = { name: split.name, path: grid.data, split: grid.split, sha256: split.sha256, images };
  // No image that is measured sets a threshold, or is shown to a method before.
  const skip = grid.split === "validation" ? grid.images : 0;
  if (grid.calibration === 0) return { split, skip, data, calibration: null };
  const validation = await host.split(grid.data, "validation");
  const calibration = validation.choose({ count: grid.calibration, skip });
  return { split, skip, data, calibration: { images: calibration, falsePositiveRate: grid.falsePositiveRate } };
}

async function priorOf(
  { prior }: Grid,
  { name, needsPrior, precision }: Column,
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
