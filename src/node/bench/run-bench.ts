/** @file A bench on this machine: its cells through the list to the workers, their rows and pictures to the folder. */
import { cpus } from "node:os";
import { join } from "node:path";
import type { ExpandedPlan } from "../../jobs/bench/expand.ts";
import type { CellJob, JobError, ModelJob } from "../../jobs/bench/job.ts";
import { failedRow } from "../../jobs/bench/row.ts";
import { runCells } from "../../jobs/bench/run.ts";
import type { WorkList } from "../../jobs/bench/work-list.ts";
import type { BenchRow } from "../../results/bench-row.ts";
import type { Device } from "../../runtime/runtime.ts";
import { packageVersion } from "../package-version.ts";
import { writeWhole } from "../write-whole.ts";
import { sheetPath } from "./bench-worker.ts";
import type { ModelStore } from "./model-store.ts";
import type { ResultsFile } from "./results-file.ts";

/** What a bench runs with. */
export interface BenchSettings {
  /** The folder of the results. */
  readonly folder: string;
  readonly results: ResultsFile;
  readonly store: Pick<ModelStore, "has">;
  /** Already serving. */
  readonly list: WorkList;
  readonly device: Device;
  /** Threads of a worker. */
  readonly threads: number;
  readonly signal?: AbortSignal | undefined;
  /** A row is on the disk. */
  onRow?(cell: CellJob, row: BenchRow): void;
  onModel?(model: ModelJob, error: JobError | undefined): void;
}

/**
 * Computes cells and appends their rows.
 * @param cells those still to be computed.
 * @throws what `runCells` throws, and InputError when the disk refuses.
 */
export async function runBench(
  cells: readonly CellJob[],
  plan: Pick<ExpandedPlan, "models">,
  settings: BenchSettings,
): Promise<void> {
  const { folder, results, store, list, device, threads, signal } = settings;
  await runCells(cells, plan, {
    list,
    signal,
    hasModel: (key) => store.has(key),
    async keep(cell, result) {
      const sheet = "row" in result ? result.sheet : undefined;
      if (sheet !== undefined) await writeWhole(join(folder, sheetPath(cell.key)), sheet);
      const row = "row" in result ? result.row : failedHere(cell, result, { device, threads });
      await results.append(row);
      settings.onRow?.(cell, row);
    },
    modelDone: (model, error) => settings.onModel?.(model, error),
  });
}

/** The row of a cell that no worker has come to. */
function failedHere(cell: CellJob, error: JobError, host: { device: Device; threads: number }): BenchRow {
  return failedRow(cell, error, {
    versions: { untrigger: packageVersion(), node: process.versions.node },
    host: { ...host, processor: cpus()[0]?.model ?? null },
    finished: new Date().toISOString(),
    seconds: 0,
    classifierHash: null,
  });
}
