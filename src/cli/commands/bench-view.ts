/** @file A bench while it runs: a grid that redraws itself on a terminal, a line for each cell elsewhere, nothing when quiet. */
import { nameCell } from "../../jobs/bench/expand.ts";
import type { CellJob, JobError, ModelJob } from "../../jobs/bench/job.ts";
import type { WorkerEvent } from "../../node/bench/worker-pool.ts";
import type { BenchRow, BenchShare } from "../../results/bench-row.ts";
import type { Console } from "../console.ts";
import { formatSeconds } from "../progress.ts";
import { type BenchMark, benchGrid } from "./bench-grid.ts";

/** Shows how far a bench is, until it is closed. */
export interface BenchView {
  row(cell: CellJob, row: BenchRow): void;
  model(model: ModelJob, error: JobError | undefined): void;
  worker(event: WorkerEvent): void;
  close(): void;
}

/** What is shown. */
export interface ShownBench {
  /** All cells of the plan, and how those have ended that have a row already. */
  readonly cells: readonly CellJob[];
  readonly ended: ReadonlyMap<string, BenchRow["status"]>;
}

const REDRAW = 200;

/** The view that the console can show. @param now the time in milliseconds. */
export function benchView(
  bench: ShownBench,
  console: Console,
  { quiet, now }: { quiet: boolean; now: () => number },
): BenchView {
  const nothing = (): void => undefined;
  if (quiet) return { row: nothing, model: nothing, worker: nothing, close: nothing };
  return console.stderr.isTerminal ? liveView(bench, console, now) : plainView(bench, console);
}

function plainView({ cells, ended }: ShownBench, { note }: Console): BenchView {
  let done = cells.filter(({ key }) => ended.get(key) === "done").length;
  return {
    row(cell, row) {
      done += 1;
      note(`${done}/${cells.length}  ${nameCell(cell)}, seed ${cell.seed}: ${outcome(row)}\n`);
    },
    model(model, error) {
      note(`model ${nameModel(model)}: ${error === undefined ? "trained" : error.message}\n`);
    },
    worker(event) {
      if (event.type === "lost") note(`a worker was lost under ${nameJob(event.job)}; ${event.why}\n`);
    },
    close: () => undefined,
  };
}

function outcome(row: BenchRow): string {
  if (row.status === "failed") return `failed, ${row.error.message}`;
  const seconds = `${row.seconds.toFixed(1)} s`;
  if (row.scan !== null) {
    const { verdict, pValue, top } = row.scan;
    return `${verdict}${pValue === null ? "" : `, p ${pValue.toFixed(3)}`}, ${topOf(top, row.target)}, ${seconds}`;
  }
  if (row.inversion !== null) return `${topOf(row.inversion.top, row.target)}, ${seconds}`;
  const { cleanAccuracy, poisonedAccuracy, attackSuccess } = row.counts;
  const percent = (name: string, share: BenchShare | null): string[] =>
    share === null ? [] : [`${name} ${((100 * share.hits) / share.total).toFixed(1)}`];
  const shares = [
    ...percent("CA", cleanAccuracy),
    ...percent("PA", poisonedAccuracy),
    ...percent("ASR", attackSuccess),
  ];
  return `${shares.join(", ")} %, ${seconds}`;
}

function topOf(top: number | null, target: number | null): string {
  const truth = target === null ? "" : `, target ${target}`;
  return `class ${top ?? "none"} on top${truth}`;
}

function nameModel({ attack, seed }: ModelJob): string {
  return `${attack === null ? "without attack" : [attack.name, attack.preset].filter(Boolean).join(" ")}, seed ${seed}`;
}

function nameJob(job: CellJob | ModelJob): string {
  return job.kind === "cell" ? nameCell(job) : `the training of ${nameModel(job)}`;
}

function liveView({ cells, ended }: ShownBench, { note, stderr }: Console, now: () => number): BenchView {
  const state = new Map<string, BenchMark>(cells.map(({ key }) => [key, ended.get(key) ?? "waiting"]));
  // What failed before is tried again.
  for (const [key, mark] of state) if (mark === "failed") state.set(key, "waiting");
  const running = new Map<string, { readonly name: string; share: number }>();
  const grid = benchGrid(cells);
  const started = now();
  const before = countOf(state, "done");
  let shown = 0;
  let drawn = 0;
  const erase = (): void => {
    if (drawn > 0) note(`\x1b[${drawn}A\r\x1b[J`);
    drawn = 0;
  };
  const draw = (force = false): void => {
    if (!force && now() - shown < REDRAW) return;
    shown = now();
    const lines = [...grid(state), ...statusOf({ state, running, before, seconds: (now() - started) / 1000 })];
    erase();
    note(lines.map((line) => `${line.slice(0, stderr.columns - 1)}\n`).join(""));
    drawn = lines.length;
  };
  draw(true);
  return {
    row({ key }, { status }) {
      state.set(key, status);
      draw(true);
    },
    model(model, error) {
      if (error === undefined) return;
      erase();
      note(`model ${nameModel(model)}: ${error.message}\n`);
      draw(true);
    },
    worker(event) {
      const { key } = event.job;
      if (event.type === "begin") running.set(key, { name: nameJob(event.job), share: 0 });
      if (event.type === "begin" && event.job.kind === "cell") state.set(key, "running");
      if (event.type === "progress") {
        const job = running.get(key);
        if (job !== undefined) job.share = event.share;
      }
      if (event.type === "end" || event.type === "lost") running.delete(key);
      if (event.type === "lost") {
        if (state.has(key)) state.set(key, "waiting");
        erase();
        note(`a worker was lost under ${nameJob(event.job)}; ${event.why}\n`);
      }
      draw(event.type !== "progress");
    },
    close: erase,
  };
}

function countOf(state: ReadonlyMap<string, BenchMark>, mark: BenchMark): number {
  return [...state.values()].filter((each) => each === mark).length;
}

function statusOf(run: {
  readonly state: ReadonlyMap<string, BenchMark>;
  readonly running: ReadonlyMap<string, { readonly name: string; readonly share: number }>;
  readonly before: number;
  readonly seconds: number;
}): string[] {
  const { state, running, before, seconds } = run;
  const [done, failed] = [countOf(state, "done"), countOf(state, "failed")];
  const now = done + failed - before;
  const left = now > 0 ? `, ${formatSeconds((seconds / now) * (state.size - done - failed))} left` : "";
  const jobs = [...running.values()].map(({ name, share }) => `${name} ${Math.floor(100 * share)} %`);
  return [`${done} of ${state.size} cells, ${failed} failed${left}`, ...(jobs.length === 0 ? [] : [jobs.join("; ")])];
}
