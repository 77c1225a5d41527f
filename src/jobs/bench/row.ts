/** @file The result row of a cell, from its job and what was measured, or why nothing was. */
import type { AttackDescriptor } from "../../attacks/attack.ts";
import { attacks } from "../../attacks/registry.ts";
import { NOTHING, type RankCounts } from "../../bench/counts.ts";
import {
  BENCH_SCHEMA,
  type BenchCounts,
  type BenchDone,
  type BenchFailed,
  type BenchRow,
  type BenchShare,
} from "../../results/bench-row.ts";
import type { Answers, CellMeasures } from "./cell-host.ts";
import type { CellDefence, CellJob, JobError } from "./job.ts";
import { shareOf } from "./share.ts";

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
  const { answers, inversion = null, scan = null, images, target, secondsOnce } = measures;
  const { sheet, ...run } = facts;
  const each = (total = 0): number => total / Math.max(1, answers?.defended ?? 0);
  return {
    ...common(job, run),
    status: "done",
    target,
    images,
    counts: countsOf(answers?.evaluation ?? NOTHING),
    countsTop5: answers?.evaluation.top5 === undefined ? null : countsOf(answers.evaluation.top5),
    detection: detectionOf(job, answers),
    secondsPerImage: each(answers?.seconds),
    networkCallsPerImage: each(answers?.networkCalls),
    classifierCallsPerImage: each(answers?.classifierCalls),
    published: publishedOf(job),
    further: {},
    secondsOnce: rounded(secondsOnce),
    inversion,
    scan,
    sheet,
  };
}

/** The row of a cell that could not be measured. */
export function failedRow(job: CellJob, error: JobError, facts: RunFacts): BenchFailed {
  return { ...common(job, facts), status: "failed", error };
}

function common(
  { key, data, attack, defence, network, prior, seed, command }: CellJob,
  { seconds, ...facts }: RunFacts,
): Omit<BenchFailed, "status" | "error"> {
  return {
    schema: BENCH_SCHEMA,
    cell: key,
    attack,
    target: null,
    defence: { name: defence.name, preset: defence.preset, options: optionsOf(defence), kind: defence.kind },
    data: { name: data.name, split: data.split, hash: data.sha256 },
    seed,
    network,
    priorHash: prior?.hash ?? null,
    precision: prior?.precision ?? null,
    command,
    seconds: rounded(seconds),
    ...facts,
  };
}

/** What others report of the attack; of no defence. */
function publishedOf({ attack, defence }: CellJob): BenchDone["published"] {
  const known: Readonly<Record<string, AttackDescriptor>> = attacks;
  const { published } = known[attack.name] ?? {};
  if (published === undefined || defence.kind !== "none") return null;
  const { where, cleanAccuracy = null, attackSuccess } = published;
  return { cleanAccuracy, poisonedAccuracy: null, attackSuccess, source: where };
}

/** The complete options of a defence, and how many clean images it may see. */
function optionsOf(defence: CellDefence): Record<string, unknown> {
  switch (defence.kind) {
    case "none":
      return {};
    case "purifier":
      return voteOptions(defence);
    case "repair":
      return { ...defence.options, cleanImages: defence.clean.count };
    case "inverter": {
      const { sets, classes, clean } = defence;
      const [first = {}, ...others] = sets;
      const options = others.length === 0 ? first : { sets };
      return { ...options, classes, cleanImages: clean.count };
    }
    case "scan": {
      const { references, inverters, falsePositiveRate, clean } = defence;
      return { references: references.sha256, inverters, falsePositiveRate, cleanImages: clean.count };
    }
  }
}

/** The options that all votes share, with their number; each vote's where they differ; and how the answer is made. */
function voteOptions({ votes, answer }: Extract<CellDefence, { kind: "purifier" }>): Record<string, unknown> {
  const [first] = votes;
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

function detectionOf({ defence }: CellJob, answers: Answers | undefined): BenchDone["detection"] {
  if (defence.kind !== "purifier" || answers === undefined) return null;
  const { evaluation, threshold } = answers;
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
