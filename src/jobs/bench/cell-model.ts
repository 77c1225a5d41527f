/** @file The model that a cell measures: one that lies in a folder, or one to be trained and shared by many cells. */
import type { AttackDescriptor } from "../../attacks/attack.ts";
import { OptionError } from "../../core/errors.ts";
import { hashJson } from "../../core/hash.ts";
import { formatDims, sameDims } from "../../tensor/shape.ts";
import { type CellJob, JOB_SCHEMA, type ModelJob } from "./job.ts";
import type { PlanHost, TrainingFacts } from "./plan-host.ts";
import type { ResolvedAttack, Training } from "./resolve.ts";
import { tryAttack } from "./try-attack.ts";

/** The model of a cell, with what is done to it. */
export type CellModel = Pick<CellJob, "model" | "network" | "attack" | "threat">;

/** What a cell's model is made of. */
export interface ModelChoice {
  readonly attack: ResolvedAttack;
  /** Name or path of the data. */
  readonly data: string;
  /** [C, H, W] of its images. */
  readonly shape: readonly [number, number, number];
  /** Of the cell. */
  readonly seed: number;
}

/** The models of a plan, gathered cell by cell. */
export interface ModelTable {
  /** To be trained, by key; each after those that it looks at. */
  readonly models: ReadonlyMap<string, ModelJob>;
  /** Folders of models that there are already, by key. */
  readonly folders: ReadonlyMap<string, string>;
  /** The model of a cell. @throws OptionError, ShapeError when attack, network and data do not fit. */
  take(choice: ModelChoice): Promise<CellModel>;
}

/** A table without models. */
export function createModelTable(host: PlanHost): ModelTable {
  const models = new Map<string, ModelJob>();
  const folders = new Map<string, string>();
  const tried = new Set<string>();
  /** What is refused does not depend on the seed. */
  const tryOnce = async (descriptor: AttackDescriptor, choice: TriedChoice, data: TrainingFacts): Promise<void> => {
    const key = hashJson([descriptor.name, choice.options, data.sha256]);
    if (!tried.has(key)) await tryAttack(descriptor, choice, data);
    tried.add(key);
  };
  return {
    models,
    folders,
    async take({ attack, data: name, shape, seed }) {
      if (attack.kind === "folder") {
        const found = await host.model(attack.folder);
        requireShape(attack.folder, found.shape, shape);
        const key = hashJson({ schema: JOB_SCHEMA, files: found.sha256 });
        folders.set(key, attack.folder);
        const threat = found.shape === undefined ? "none" : "trigger";
        return { model: key, network: null, attack: found.attack, threat };
      }
      const { kind, preset, options, descriptor, training } = attack;
      requireSize(training, shape);
      const method = { name: attack.name, preset, options };
      const { sha256, ...rest } = await host.training(name, training.images);
      const own = training.seed ?? seed;
      const { architecture, recipe } = training;
      const network = { architecture: architecture.name, options: training.options, epochs: recipe.epochs, seed: own };
      if (descriptor !== undefined) await tryOnce(descriptor, { options, seed: own }, { sha256, ...rest });
      requireBatch(training, rest.labels.length);
      const base = { data: name, sha256, seed: own };
      const clean = modelJobOf(training, { ...base, attack: null, surrogate: null });
      if (kind !== "backdoor" || descriptor === undefined) {
        models.set(clean.key, clean);
        return { model: clean.key, network, attack: method, threat: kind === "evasion" ? "evasion" : "none" };
      }
      const surrogate = descriptor.needs.surrogate === true ? clean.key : null;
      if (surrogate !== null) models.set(surrogate, clean);
      const job = modelJobOf(training, { ...base, attack: method, surrogate });
      models.set(job.key, job);
      return { model: job.key, network, attack: method, threat: "trigger" };
    },
  };
}

/** Options of an attack with the seed that it is tried with. */
interface TriedChoice {
  readonly options: Record<string, unknown>;
  readonly seed: number;
}

function requireShape(folder: string, got: readonly number[] | undefined, shape: readonly number[]): void {
  if (got === undefined || sameDims(got, shape)) return;
  throw new OptionError(
    `${folder}: expected a trigger for images of ${formatDims(shape)}, got one for ${formatDims(got)}.`,
  );
}

function requireSize({ architecture, options }: Training, [, height, width]: ModelChoice["shape"]): void {
  const least = architecture.minimumSize(options);
  if (Math.min(height, width) >= least) return;
  throw new OptionError(
    `${architecture.name}: expected images of at least ${least} pixels a side, got ${height}x${width}.`,
  );
}

function requireBatch({ recipe: { batch } }: Training, images: number): void {
  if (batch <= images) return;
  throw new OptionError(`recipe: expected a batch of at most ${images} images, as many as there are, got ${batch}.`);
}

function modelJobOf(
  { architecture, options, recipe, images }: Training,
  rest: Pick<ModelJob, "attack" | "surrogate" | "seed"> & { readonly data: string; readonly sha256: string },
): ModelJob {
  const { data, sha256, seed, attack, surrogate } = rest;
  const network = { architecture: architecture.name, options, recipe, seed };
  const planted = attack && { name: attack.name, options: attack.options };
  return {
    schema: JOB_SCHEMA,
    kind: "model",
    key: hashJson({ schema: JOB_SCHEMA, data: sha256, attack: planted, ...network }),
    data: { path: data, images, sha256 },
    attack,
    surrogate,
    ...network,
  };
}
