/** @file The result row of a cell, from its job and what was measured, or why nothing was. */
import type { AttackDescriptor } from "../../attacks/attack.ts";
import { attacks } from "../../attacks/registry.ts";
import type { RankCounts } from "../../bench/counts.ts";
import type { Count } from "../../metrics/count.ts";
import { wilsonInterval } from "../../metrics/intervals.ts";
import {
  BENCH_SCHEMA,
  type BenchCounts,
  type BenchDone,
  type BenchFailed,
  type BenchRow,
  type BenchShare,
} from "../../results/bench-row.ts";
import type { CellMeasures } from "./cell.ts";
import type { CellJob, JobError } from "./job.ts";

/** Where and when a cell was measured. */
export interface RunFacts extends Pick<BenchRow, "versions" | "host" | "finished"> {
  /** Of the whole cell, from taking the job to the row. */
  readonly seconds: number;
  /** SHA-256 of the model; `null` when it was not opened. */
  readonly classifierHash: string | null;
}

/** The row of a cell that was measured. @param sheet its pictures, relative to the folder of the results. */
export function doneRow(
  job: CellJob,
  measures: CellMeasures,
  facts: RunFacts & { readonly sheet: string | null },
): BenchDone {
  const { evaluation, images, defended, seconds, networkCalls, classifierCalls, target } = measures;
  const { sheet, ...run } = facts;
  const each = (total: number): number => (defended === 0 ? 0 : total / defended);
  return {
    ...common(job, run),
    status: "done",
    target,
    images,
    counts: countsOf(evaluation),
    countsTop5: evaluation.top5 === undefined ? null : countsOf(evaluation.top5),
    detection: detectionOf(job, measures),
    secondsPerImage: each(seconds),
    networkCallsPerImage: each(networkCalls),
    classifierCallsPerImage: each(classifierCalls),
    published: publishedOf(job),
    further: {},
    sheet,
  };
}

/** The row of a cell that could not be measured. */
export function failedRow(job: CellJob, error: JobError, facts: RunFacts): BenchFailed {
  return { ...common(job, facts), status: "failed", error };
}

function common(
  { key, data, attack, purifier, prior, seed, command }: CellJob,
  { seconds, ...facts }: RunFacts,
): Omit<BenchFailed, "status" | "error"> {
  return {
    schema: BENCH_SCHEMA,
    cell: key,
    attack,
    target: null,
    defence: {
      name: purifier.name,
      preset: purifier.preset,
      options: optionsOf(purifier),
      kind: purifier.votes.length === 0 ? "none" : "purifier",
    },
    data: { name: data.name, split: data.split, hash: data.sha256 },
    seed,
    priorHash: prior?.hash ?? null,
    precision: prior?.precision ?? null,
    command,
    seconds: rounded(seconds),
    ...facts,
  };
}

/** What others report of the attack; of no defence. */
function publishedOf({ attack, purifier }: CellJob): BenchDone["published"] {
  const known: Readonly<Record<string, AttackDescriptor>> = attacks;
  const { published } = known[attack.name] ?? {};
  if (published === undefined || purifier.votes.length > 0) return null;
  const { where, cleanAccuracy = null, attackSuccess } = published;
  return { cleanAccuracy, poisonedAccuracy: null, attackSuccess, source: where };
}

/** The options that all votes share, with their number; each vote's where they differ; and how the answer is made. */
function optionsOf({ votes, answer }: CellJob["purifier"]): Record<string, unknown> {
  const [first] = votes;
  if (first === undefined) return {};
  const equal = votes.every((vote) => JSON.stringify(vote) === JSON.stringify(first));
  return equal ? { ...first, votes: votes.length, answer } : { votes, answer };
}

function countsOf(counts: RankCounts): BenchCounts {
  return {
    cleanAccuracy: shareOf(counts.cleanAccuracy),
    poisonedAccuracy: shareOf(counts.poisonedAccuracy),
    poisonedAccuracyAllClasses: shareOf(counts.poisonedAccuracyAllClasses),
    attackSuccess: shareOf(counts.attackSuccess),
    attackSuccessAllClasses: shareOf(counts.attackSuccessAllClasses),
    floor: shareOf(counts.floor),
  };
}

function shareOf(count: Count): BenchShare | null {
  return count.total === 0 ? null : { ...count, ...wilsonInterval(count) };
}

function detectionOf({ purifier }: CellJob, { evaluation, threshold }: CellMeasures): BenchDone["detection"] {
  if (purifier.votes.length === 0) return null;
  const { value, falsePositiveRate } = threshold;
  const { auroc, suspicion } = evaluation;
  const flagged = (scores: Float64Array): BenchShare | null =>
    value === null ? null : shareOf({ hits: scores.filter((score) => score > value).length, total: scores.length });
  return {
    auroc: Number.isNaN(auroc) ? null : auroc,
    falsePositives: flagged(suspicion.clean),
    truePositives: flagged(suspicion.triggered),
    threshold: value,
    falsePositiveRate,
  };
}

/** Milliseconds are as much as a clock is worth here. */
function rounded(seconds: number): number {
  return Math.round(seconds * 1000) / 1000;
}
