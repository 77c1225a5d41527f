/** @file Progress of an inversion: steps of all classes, of which some may end early. */
import type { RunContext } from "../core/run-context.ts";

/** Counts steps and tells the run. */
export interface Progress {
  /** So many more steps are done, or will never be needed. */
  add(steps: number): void;
}

/** Starts to count. @param total all steps that there may be. */
export function startProgress(run: Pick<RunContext, "progress">, total: number): Progress {
  let done = 0;
  return {
    add(steps) {
      done += steps;
      run.progress?.(done, total);
    },
  };
}
