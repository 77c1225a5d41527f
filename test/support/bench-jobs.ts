/** @file Jobs of a bench that nobody really runs, and what their workers would say. */
import { hashJson } from "../../src/core/hash.ts";
import {
  type BenchJob,
  type CellJob,
  cellJob,
  JOB_SCHEMA,
  type JobResult,
  type ModelJob,
  modelJob,
} from "../../src/jobs/bench/job.ts";
import { doneRow } from "./bench-rows.ts";

const NO_DATA = hashJson("data");

/** A model of a name. */
export function sampleModel(name: string, surrogate: string | null = null): ModelJob {
  return modelJob.parse({
    schema: JOB_SCHEMA,
    kind: "model",
    key: hashJson(["model", name]),
    data: { path: "shapes", images: null, sha256: NO_DATA },
    attack: { name, preset: "paper", options: {} },
    surrogate,
    architecture: "small-cnn",
    options: {},
    recipe: {},
    seed: 0,
  });
}

/** A cell of a name, measuring a model. */
export function sampleCell(name: string, model: ModelJob = sampleModel("there")): CellJob {
  return cellJob.parse({
    schema: JOB_SCHEMA,
    kind: "cell",
    key: hashJson(["cell", name]),
    data: { name: "shapes", path: "shapes", split: "test", sha256: NO_DATA, images: { count: 10, sha256: NO_DATA } },
    calibration: null,
    model: model.key,
    network: { architecture: model.architecture, options: model.options, epochs: model.recipe.epochs, seed: 0 },
    attack: model.attack,
    threat: "trigger",
    defence: { kind: "none", name: "none", preset: null },
    prior: null,
    seed: 0,
    batch: 64,
    sheet: 0,
    command: "untrigger bench plan.yaml",
  });
}

/** What a worker says that has done a job. */
export function sampleResult(job: BenchJob): JobResult {
  if (job.kind === "model") return { kind: "model", key: job.key };
  return { kind: "cell", key: job.key, row: { ...doneRow(), cell: job.key }, sheet: Uint8Array.of(1, 2, 3) };
}
