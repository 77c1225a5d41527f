/**
 * @file The list of jobs that workers share. This one lives in the process that owns the bench; others keep the same
 * promises over a server, so that several machines share one list.
 */
import { RuntimeFailure } from "../../core/errors.ts";
import type { BenchJob, JobResult } from "./job.ts";
import { createTurn } from "./turn.ts";

/** What a worker throws when it is lost and the job is not to blame: the job is handed out again. */
export class WorkerLost extends RuntimeFailure {}

/** Does one job. @throws WorkerLost when the worker has died under it; anything else is a bug and ends the list. */
export type Work = (job: BenchJob) => Promise<JobResult>;

/** A list of jobs. */
export interface WorkList {
  /**
   * Puts jobs on the list; those whose key is on it already, waiting or in work, stay as they are. Cells are handed out
   * before models, and otherwise whoever came first.
   */
  add(jobs: readonly BenchJob[]): Promise<void>;
  /**
   * Hands jobs out until the list is closed, to so many workers at a time. A job that has cost {@link MOST_LOSSES}
   * workers gets a failed result.
   */
  serve(work: Work, slots: number): void;
  /**
   * One result for each job that was added, as they come; ends when the list is closed.
   * @throws what the workers threw but {@link WorkerLost}.
   */
  results(): AsyncIterable<JobResult>;
  /** The result of a key is safe: the list need not keep it any more. */
  forget(key: string): Promise<void>;
  /** Hands nothing out any more, withdraws what nobody has begun, and ends `results`. Closing twice is harmless. */
  close(): Promise<void>;
}

/** How many workers a job may cost before it is given up. */
export const MOST_LOSSES = 3;

/** The result of a job that is given up. */
export function givenUp(key: string, why: string): JobResult {
  const message = `bench: expected a worker that survives the cell, got ${MOST_LOSSES} that did not; ${why}`;
  return { kind: "failed", key, error: { code: "runtime-failure", message } };
}

interface Entry {
  readonly job: BenchJob;
  losses: number;
}

/** A list in memory. */
export function createWorkList(): WorkList {
  const waiting: { readonly cell: Entry[]; readonly model: Entry[] } = { cell: [], model: [] };
  const known = new Set<string>();
  const results: JobResult[] = [];
  let failure: { readonly error: unknown } | undefined;
  let closed = false;
  // Whoever waits for a job or a result looks again when something has changed.
  const turn = createTurn();

  const handOut = async (work: Work): Promise<void> => {
    while (!closed && failure === undefined) {
      const entry = waiting.cell.shift() ?? waiting.model.shift();
      if (entry === undefined) {
        await turn.next();
        continue;
      }
      try {
        results.push(await work(entry.job));
      } catch (error) {
        if (!(error instanceof WorkerLost)) failure ??= { error };
        else if (++entry.losses < MOST_LOSSES) waiting[entry.job.kind].unshift(entry);
        else results.push(givenUp(entry.job.key, error.message));
      }
      turn.wake();
    }
  };

  return {
    async add(jobs) {
      for (const job of jobs) {
        if (known.has(job.key)) continue;
        known.add(job.key);
        waiting[job.kind].push({ job, losses: 0 });
      }
      turn.wake();
    },
    serve(work, slots) {
      for (let slot = 0; slot < slots; slot++) void handOut(work);
    },
    async *results() {
      for (;;) {
        const result = results.shift();
        if (result !== undefined) yield result;
        else if (failure !== undefined) throw failure.error;
        else if (closed) return;
        else await turn.next();
      }
    },
    async forget(key) {
      known.delete(key);
    },
    async close() {
      closed = true;
      waiting.cell.length = 0;
      waiting.model.length = 0;
      turn.wake();
    },
  };
}
