/** @file `untrigger bench PLAN.yaml -o RESULTS`: attacks against whatever stands against them, on data, resumable, in many processes. */
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { type Command, Option } from "commander";
import { type ReadPlan, readPlan } from "../../bench/read-plan.ts";
import { OptionError } from "../../core/errors.ts";
import { type ExpandedPlan, expandPlan } from "../../jobs/bench/expand.ts";
import type { CellJob } from "../../jobs/bench/job.ts";
import { createWorkList } from "../../jobs/bench/work-list.ts";
import { lockFolder } from "../../node/bench/folder-lock.ts";
import { modelStore } from "../../node/bench/model-store.ts";
import { planHost } from "../../node/bench/plan-facts.ts";
import { redisList } from "../../node/bench/redis-list.ts";
import { openResults, type ResultsFile, readEnded } from "../../node/bench/results-file.ts";
import { runBench } from "../../node/bench/run-bench.ts";
import { workForParent } from "../../node/bench/worker-child.ts";
import { workerPool } from "../../node/bench/worker-pool.ts";
import { writeReport } from "../../node/bench/write-report.ts";
import { openRuntime } from "../../node/open-runtime.ts";
import { prepareOutput } from "../../node/output-folder.ts";
import { readWhole } from "../../node/read-whole.ts";
import { type OpenRedis, openRedis } from "../../node/redis.ts";
import { writeWhole } from "../../node/write-whole.ts";
import type { BenchRow } from "../../results/bench-row.ts";
import type { Device } from "../../runtime/runtime.ts";
import type { Console } from "../console.ts";
import { addCommonFlags, addDeviceFlags, type CommonFlags, choice, integer } from "../flags.ts";
import { formatSeconds } from "../progress.ts";
import { joinBench } from "./bench-join.ts";
import { showPlan } from "./bench-plan.ts";
import { benchView } from "./bench-view.ts";
import { workerCommand } from "./bench-worker-command.ts";

/** The flags of this verb. */
interface BenchFlags extends CommonFlags {
  readonly out?: string;
  readonly resume?: boolean;
  readonly workers: number;
  readonly threads?: number;
  readonly device: Device;
  readonly seed?: number;
  readonly redis?: string;
  readonly join?: boolean;
  readonly only?: string;
  readonly dryRun?: boolean;
  readonly failOn?: "failed";
  readonly worker?: boolean;
}

/** The largest plan that is read. */
const MOST_BYTES = 16 * 2 ** 20;

/** Adds the verb to the program. */
export function defineBench(command: Command, console: Console): void {
  command
    .argument("[plan]", "a YAML file: attacks, purifiers, repairs, inverters, scans, data, seeds")
    .option("-o, --out <folder>", "where results.jsonl, index.html, models/ and sheets/ go")
    .option("--resume", "go on with the results that are there; failed cells are tried again")
    .addOption(new Option("--workers <n>", "processes that compute").argParser(integer("--workers", 1, 256)).default(1))
    .option("--redis <url>", "share the list of cells with other machines on this server")
    .option("--join", "compute cells of others on that server until Ctrl-C; without a plan")
    .option("--dry-run", "list the cells, and compute nothing")
    .option("--only <cell>", "only the cells whose key begins so")
    .addOption(new Option("--seed <n>", "one seed in place of the plan's").argParser(integer("--seed", 0)))
    .addOption(
      new Option("--fail-on <finding>", "exit with 1 when a cell has: failed").argParser(
        choice("--fail-on", ["failed"]),
      ),
    )
    .addOption(new Option("--worker", "work for the bench that started this process").hideHelp());
  addDeviceFlags(command, "threads of a worker; the cores divided among them by default");
  addCommonFlags(command).action((plan: string | undefined, flags: BenchFlags) => bench(plan, flags, console));
}

async function bench(file: string | undefined, flags: BenchFlags, console: Console): Promise<void> {
  const started = performance.now();
  const seconds = (): number => Math.round(performance.now() - started) / 1000;
  const { out, resume = false, quiet = false, json = false, dryRun = false } = flags;
  const { signal } = console;
  if (flags.worker === true) return await workForParent(signal);
  const threads = flags.threads ?? Math.max(Math.floor(availableParallelism() / flags.workers), 1);
  if (flags.join === true) return await joinBench({ ...flags, plan: file, threads }, console);
  if (file === undefined) throw new OptionError("bench: expected a plan, got none. Do name a YAML file.");
  if (out === undefined && !dryRun) {
    throw new OptionError("bench: expected a folder for the results, got none. Do name one with -o FOLDER.");
  }
  const text = new TextDecoder().decode(await readWhole(file, { maxBytes: MOST_BYTES, signal }));
  const read = withSeed(readPlan(text, file), flags.seed);
  const run = { flags, console, threads, file, read };
  if (dryRun) {
    const { plan, cells } = await expand(run);
    const ended = out === undefined ? new Map<string, BenchRow["status"]>() : await readEnded(out);
    return showPlan(cells, plan, { console, json, ended, seconds: seconds() });
  }
  const output = await prepareOutput(out ?? "");
  const unlock = await lockFolder(output.path);
  try {
    const results = await openResults(output.path, { resume });
    try {
      if (results.note !== undefined && !quiet) console.note(`${results.note}\n`);
      const { plan, cells } = await expand(run);
      const server = flags.redis === undefined ? undefined : await openRedis(flags.redis);
      try {
        await writeWhole(join(output.path, "plan.yaml"), text);
        await compute({ ...run, plan, cells, folder: output.path, results, server });
      } finally {
        server?.close();
      }
      const report = await writeReport(output.path, read.plan.title);
      const count = (status: BenchRow["status"]): number =>
        cells.filter(({ key }) => results.cells.get(key) === status).length;
      const [done, failed] = [count("done"), count("failed")];
      const document = {
        schema: "untrigger/bench-run@1",
        cells: cells.length,
        done,
        failed,
        results: output.path,
        report,
        seconds: seconds(),
      };
      if (json) console.out(`${JSON.stringify(document, undefined, 2)}\n`);
      else if (!quiet) {
        console.out(
          `${done} of ${cells.length} cells, ${failed} failed, in ${formatSeconds(document.seconds)}.\n${report}\n`,
        );
      }
      if (failed > 0 && flags.failOn === "failed") console.finding();
    } finally {
      await results.close();
    }
  } finally {
    await unlock();
    await output.discard();
  }
}

/** What the steps of one bench share. */
interface Run {
  readonly flags: BenchFlags;
  readonly console: Console;
  /** Of a worker. */
  readonly threads: number;
  readonly file: string;
  readonly read: ReadPlan;
}

function withSeed(read: ReadPlan, seed: number | undefined): ReadPlan {
  if (seed === undefined) return read;
  const { plan } = read;
  const grids = plan.grids?.map(({ seeds: _, ...grid }) => grid);
  return { ...read, plan: { ...plan, seeds: [seed], ...(grids === undefined ? {} : { grids }) } };
}

async function expand({
  flags,
  console,
  threads,
  file,
  read,
}: Run): Promise<{ plan: ExpandedPlan; cells: readonly CellJob[] }> {
  const { device, only } = flags;
  const host = planHost(() => openRuntime({ device, threads }, () => undefined), console.signal);
  const plan = await expandPlan(
    read,
    host,
    (key) => `untrigger bench ${quoted(file)} --only ${key.slice(0, 16)} -o again`,
  );
  const cells = only === undefined ? plan.cells : plan.cells.filter(({ key }) => key.startsWith(only));
  if (cells.length === 0)
    throw new OptionError(
      `--only: expected the beginning of a cell's key, got "${only}", which is none of ${plan.cells.length}.`,
    );
  return { plan, cells };
}

/** A word as a shell reads it back. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

async function compute(
  run: Run & {
    readonly plan: ExpandedPlan;
    readonly cells: readonly CellJob[];
    readonly folder: string;
    readonly results: ResultsFile;
    /** Where the list of cells is shared; it stays in this process without. */
    readonly server: OpenRedis | undefined;
  },
): Promise<void> {
  const { flags, console, threads, plan, cells, folder, results, server } = run;
  const { device, workers, quiet = false } = flags;
  const { signal } = console;
  const todo = cells.filter(({ key }) => results.cells.get(key) !== "done");
  if (todo.length === 0) return;
  const models = join(folder, "models");
  const store = modelStore(models, plan.folders);
  await store.tidy();
  const list = server === undefined ? createWorkList() : redisList(server, { store });
  const view = benchView({ cells, ended: results.cells }, console, { quiet, now: () => performance.now() });
  const places = { models, elsewhere: Object.fromEntries(plan.folders) };
  const pool = workerPool({ command: workerCommand(), device, threads, places, onEvent: view.worker });
  try {
    list.serve(pool.run, workers);
    await runBench(todo, plan, {
      folder,
      results,
      store,
      list,
      device,
      threads,
      signal,
      onRow: view.row,
      onModel: view.model,
    });
  } finally {
    await list.close();
    await pool.close();
    view.close();
  }
}
