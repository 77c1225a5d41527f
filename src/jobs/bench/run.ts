/**
 * @file A bench from its cells to their rows: models before the cells that need them, each once; every cell's row handed
 * over once. Who does the work, and where rows go, is the face's business.
 */
import { RuntimeFailure } from "../../core/errors.ts";
import type { ExpandedPlan } from "./expand.ts";
import type { BenchJob, CellJob, JobError, JobResult, ModelJob } from "./job.ts";
import type { WorkList } from "./work-list.ts";

/** What a face lends to a bench. */
export interface BenchHost {
  readonly list: WorkList;
  /** Whether a model is where workers look for it. */
  hasModel(key: string): Promise<boolean>;
  /** Keeps the result of a cell; it is safe when this returns. `failed` is what there is in place of a row. */
  keep(cell: CellJob, result: Extract<JobResult, { kind: "cell" }> | JobError): Promise<void>;
  /** A model is there, or why it is not. */
  modelDone?(model: ModelJob, error: JobError | undefined): void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Computes cells. When it returns, each has been kept once.
 * @param cells those that are still to be computed.
 * @throws the signal's reason when aborted, what keeping throws, and what the list throws.
 */
export async function runCells(
  cells: readonly CellJob[],
  { models }: Pick<ExpandedPlan, "models">,
  host: BenchHost,
): Promise<void> {
  const { list, signal } = host;
  const open = new Map(cells.map((cell) => [cell.key, cell]));
  const plan = await planModels(cells, models, host);
  signal?.throwIfAborted();
  const close = (): void => void list.close();
  signal?.addEventListener("abort", close);
  try {
    await list.add(plan.ready);
    if (open.size === 0) return;
    for await (const result of list.results()) {
      signal?.throwIfAborted();
      const cell = open.get(result.key);
      if (cell !== undefined && result.kind !== "model") {
        await host.keep(cell, result.kind === "failed" ? result.error : result);
        open.delete(cell.key);
      } else if (result.kind !== "cell") {
        const { ready, lost } = plan.settle(result.key, result.kind === "failed" ? result.error : undefined);
        for (const { job, error } of lost) {
          if (job.kind === "model") host.modelDone?.(job, error);
          else if (open.delete(job.key)) await host.keep(job, error);
        }
        const model = models.get(result.key);
        if (model !== undefined && result.kind === "model") host.modelDone?.(model, undefined);
        await list.add(ready);
      }
      await list.forget(result.key);
      if (open.size === 0) return;
    }
    signal?.throwIfAborted();
    throw new RuntimeFailure(`internal: the list ended with ${open.size} cells to go`);
  } finally {
    signal?.removeEventListener("abort", close);
    await list.close();
  }
}

/** Which jobs may begin, and which begin when a model is there. */
interface ModelPlan {
  /** Jobs that need no model, or one that is there. */
  readonly ready: readonly BenchJob[];
  /** A model is there, or never will be: what may begin now, and what is lost with it. */
  settle(
    key: string,
    error: JobError | undefined,
  ): { readonly ready: readonly BenchJob[]; readonly lost: readonly LostJob[] };
}

interface LostJob {
  readonly job: BenchJob;
  readonly error: JobError;
}

async function planModels(
  cells: readonly CellJob[],
  models: ReadonlyMap<string, ModelJob>,
  host: Pick<BenchHost, "hasModel">,
): Promise<ModelPlan> {
  const waiting = new Map<string, BenchJob[]>();
  const ready: BenchJob[] = [];
  const planned = new Map<string, "there" | "waiting">();
  const need = async (key: string, job: BenchJob): Promise<void> => {
    if (!planned.has(key)) {
      const model = models.get(key);
      const there = model === undefined || (await host.hasModel(key));
      planned.set(key, there ? "there" : "waiting");
      if (!there && model !== undefined) await begin(model);
    }
    const others = waiting.get(key) ?? [];
    if (planned.get(key) === "there") ready.push(job);
    else waiting.set(key, [...others, job]);
  };
  const begin = async (model: ModelJob): Promise<void> => {
    if (model.surrogate === null) ready.push(model);
    else await need(model.surrogate, model);
  };
  for (const cell of cells) await need(cell.model, cell);
  const lostWith = (key: string, error: JobError): LostJob[] => {
    const jobs = waiting.get(key) ?? [];
    waiting.delete(key);
    return jobs.flatMap((job) => [{ job, error }, ...lostWith(job.key, error)]);
  };
  return {
    ready,
    settle(key, error) {
      if (error === undefined) {
        const jobs = waiting.get(key) ?? [];
        waiting.delete(key);
        return { ready: jobs, lost: [] };
      }
      const model = models.get(key);
      return { ready: [], lost: [...(model === undefined ? [] : [{ job: model, error }]), ...lostWith(key, error)] };
    },
  };
}
