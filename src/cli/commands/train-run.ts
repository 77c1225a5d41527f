/** @file What every kind of `train` does around the training itself: data, engine, checkpoint, progress, files, report. */
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { OptionError } from "../../core/errors.ts";
import { encodePng } from "../../images/node.ts";
import type { Picture } from "../../images/picture.ts";
import type { TrainingData, TrainingHost } from "../../jobs/training/host.ts";
import type { TrainingProgress, TrainingRecord } from "../../jobs/training/progress.ts";
import type { Count } from "../../metrics/count.ts";
import { wilsonInterval } from "../../metrics/intervals.ts";
import { type BatchWorker, openBatchWorker } from "../../node/batch-worker.ts";
import { checkpointFile } from "../../node/checkpoint-file.ts";
import { prepareOutput } from "../../node/output-folder.ts";
import { readTrainingData } from "../../node/training-data.ts";
import { writeWhole } from "../../node/write-whole.ts";
import { lossChart } from "../../report/loss-chart.ts";
import type { Console } from "../console.ts";
import type { RunFlags } from "../flags.ts";
import { createProgress, formatSeconds } from "../progress.ts";
import { openVerbRuntime } from "../verb-runtime.ts";

/** Flags that {@link withTrainingRun} reads. */
interface TrainingFlags extends RunFlags {
  readonly data?: string;
  readonly limit?: number;
  readonly out?: string;
}

/** What a training returns, whatever it trained. */
interface TrainingResult {
  /** Said to a person in place of the accuracy. */
  readonly findings?: readonly string[];
  readonly files: Readonly<Record<string, Uint8Array>>;
  readonly record: TrainingRecord;
  readonly losses: readonly number[];
  readonly accuracy?: Count;
}

/** What a kind of training is given. */
export interface TrainingRun {
  readonly data: TrainingData;
  readonly host: TrainingHost;
  /** Says what goes on where no images are counted. */
  note(words: string): void;
  /** Writes a sheet of samples. */
  showSamples(sheet: Picture, step: number): Promise<void>;
  /** Writes everything, removes the checkpoint, and says what came out. */
  finish(result: TrainingResult): Promise<void>;
}

/**
 * Opens what a training needs, and closes it again.
 * @throws OptionError when a flag is missing; what opening and training throw. The checkpoint then stays.
 */
export async function withTrainingRun(
  flags: TrainingFlags,
  console: Console,
  train: (run: TrainingRun) => Promise<void>,
  subject = "train",
): Promise<void> {
  const started = performance.now();
  const { data: name, limit, out, threads, quiet = false, json = false } = flags;
  if (name === undefined) {
    throw new OptionError(
      `${subject}: expected a data set, got none. Do name one with --data; see: untrigger data list.`,
    );
  }
  if (out === undefined) {
    throw new OptionError(`${subject}: expected a folder for the network, got none. Do name one with -o FOLDER.`);
  }
  const { signal } = console;
  const data = await readTrainingData(name, { limit, signal });
  const runtime = await openVerbRuntime(flags, console);
  const output = await prepareOutput(out);
  const checkpoint = checkpointFile(join(output.path, "checkpoint.safetensors"));
  if (!quiet && (await checkpoint.load()) !== undefined) console.note(`${out}: going on from the checkpoint there.\n`);
  const progress = createProgress(console, quiet, () => performance.now());
  const workers: BatchWorker<unknown>[] = [];
  try {
    await train({
      data,
      host: {
        runtime,
        threads,
        signal,
        openBatches: (spec) => {
          const worker = openBatchWorker(spec, { signal });
          workers.push(worker);
          return worker.batches;
        },
        checkpoints: checkpoint,
        progress: (at: TrainingProgress) => {
          progress.update("images", at.images, (at.images / at.step) * at.steps, `loss ${at.loss.toFixed(4)}`);
        },
      },
      note: (words) => {
        if (!quiet) console.note(`${words}\n`);
      },
      showSamples: async (sheet, step) => {
        await writeWhole(join(output.path, "samples", `${String(step).padStart(8, "0")}.png`), await encodePng(sheet));
      },
      finish: async ({ files, record, losses, accuracy, findings = accuracyOf(accuracy) }) => {
        const seconds = (performance.now() - started) / 1000;
        for (const [path, bytes] of Object.entries(files)) await writeWhole(join(output.path, path), bytes, { signal });
        await writeWhole(join(output.path, "loss.svg"), lossChart({ steps: losses.map((_, i) => i + 1), losses }));
        const full = { ...record, seconds: Math.round(seconds * 10) / 10 };
        await writeWhole(join(output.path, "training.json"), `${JSON.stringify(full, undefined, 2)}\n`);
        await checkpoint.remove();
        progress.close();
        if (json) console.out(`${JSON.stringify({ ...full, output: output.path }, undefined, 2)}\n`);
        else console.out(summaryOf({ record, seconds, out, findings }));
      },
    });
  } catch (error) {
    await output.discard();
    throw error;
  } finally {
    progress.close();
    for (const { close } of workers) await close();
  }
}

function accuracyOf(accuracy: Count | undefined): string[] {
  if (accuracy === undefined) return [];
  const { low, high } = wilsonInterval(accuracy);
  const percent = (share: number): string => (100 * share).toFixed(2);
  return [
    `test accuracy ${percent(accuracy.hits / accuracy.total)} % (${percent(low)} to ${percent(high)}, ${accuracy.hits} of ${accuracy.total})`,
  ];
}

function summaryOf(run: { record: TrainingRecord; seconds: number; out: string; findings: readonly string[] }): string {
  const { record, seconds, out, findings } = run;
  const lines = [
    `${record.parameters.toLocaleString("en")} weights, ${record.steps} steps in ${formatSeconds(seconds)}: loss ${record.loss.toFixed(4)}`,
    ...findings,
    `${out}: ${record.kind}, training.json, loss.svg`,
  ];
  return `${lines.join("\n")}\n`;
}
