/** @file Searches that go on together: as many as fit into one batch of bounded size, stepped side by side. */
import type { InversionRun } from "./inverter.ts";
import { startProgress } from "./progress.ts";

/** Values of the batch of one step. */
const MOST_VALUES = 2 ** 22;

/**
 * Cuts a list of searches into groups, each of at least one.
 * @param values how many values one search adds to the batch of a step: images times pixels.
 */
export function inGroups<T>(searches: readonly T[], values: number): readonly (readonly T[])[] {
  const together = Math.max(1, Math.floor(MOST_VALUES / values));
  const count = Math.ceil(searches.length / together);
  return Array.from({ length: count }, (_, i) => searches.slice(i * together, (i + 1) * together));
}

/** A search that is over. */
export interface EndedSearch<Search> {
  readonly search: Search;
  /** False where `enough` ended it before its time. */
  readonly complete: boolean;
}

/**
 * Steps searches group by group, and yields those of a group when it is over, in their order.
 * @param values see {@link inGroups}. @param begin a search when its group begins. @param step one step of all searches of a group.
 * @throws what steps throw; the signal's reason when aborted.
 */
export async function* stepInGroups<Task, Search>(
  tasks: readonly Task[],
  {
    values,
    steps,
    run,
    begin,
    step,
  }: {
    readonly values: number;
    readonly steps: number;
    readonly run: InversionRun;
    begin(task: Task): Search;
    step(group: readonly Search[], step: number): Promise<void>;
  },
): AsyncGenerator<EndedSearch<Search>, void, undefined> {
  const progress = startProgress(run, tasks.length * steps);
  for (const part of inGroups(tasks, values)) {
    const group = part.map(begin);
    let done = 0;
    for (; done < steps && run.enough?.aborted !== true; done++) {
      run.signal?.throwIfAborted();
      await step(group, done);
      progress.add(group.length);
    }
    for (const search of group) yield { search, complete: done === steps };
  }
}
