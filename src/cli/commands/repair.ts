/** @file `untrigger repair MODEL`: mend a classifier with a few clean images, and measure it before and after. */
import { join, resolve } from "node:path";
import { performance } from "node:perf_hooks";
import { type Command, Option } from "commander";
import type { OnnxClassifierFiles } from "../../classifiers/onnx.ts";
import { OptionError } from "../../core/errors.ts";
import { lookUp } from "../../core/names.ts";
import { chooseRepair, type RepairRequest, repairJob } from "../../jobs/repair/repair.ts";
import type { Count } from "../../metrics/count.ts";
import { wilsonInterval } from "../../metrics/intervals.ts";
import { isAddress, readClassifierFiles } from "../../node/open-classifier.ts";
import { prepareOutput } from "../../node/output-folder.ts";
import { modelFolder, openOwnTrigger } from "../../node/own-trigger.ts";
import { readRepairData } from "../../node/repair-data.ts";
import { writeWhole } from "../../node/write-whole.ts";
import { repairs } from "../../repair/registry.ts";
import type { RepairDescriptor } from "../../repair/repair.ts";
import type { RepairRecord } from "../../results/repair-record.ts";
import type { Console } from "../console.ts";
import { addRunFlags, gather, integer, numbers, type RunFlags } from "../flags.ts";
import { createProgress, formatSeconds } from "../progress.ts";
import { parseSettings } from "../settings.ts";
import { formatTable } from "../table.ts";
import { openVerbRuntime } from "../verb-runtime.ts";

/** The flags of this verb. */
interface RepairFlags extends RunFlags {
  readonly method: string;
  readonly preset?: string;
  readonly set?: readonly string[];
  readonly images?: string;
  readonly count: number;
  readonly limit?: number;
  readonly trigger?: string;
  readonly mean?: readonly number[];
  readonly std?: readonly number[];
  readonly out?: string;
}

/** Adds the verb to the program. */
export function defineRepair(command: Command, console: Console): void {
  command
    .argument("<model>", "an ONNX file, or a folder with model.onnx")
    .option("--method <name>", `one of ${Object.keys(repairs).join(", ")}`, "anp")
    .option("--preset <name>", "paper, official or recommended, as the repair has them")
    .addOption(new Option("--set <key=value>", "one option of the repair; may be repeated").argParser(gather))
    .option("--images <folder|name>", "clean pictures with labels.json or in folders of classes, or a data set")
    .addOption(
      new Option("--count <n>", "clean images that the repair may use, drawn by the seed")
        .argParser(integer("--count", 1))
        .default(500),
    )
    .addOption(new Option("--limit <n>", "measure on the first n test images").argParser(integer("--limit", 1)))
    .option("--trigger <folder>", "the trigger to measure with; by default the trigger/ beside the model, if any")
    .addOption(new Option("--mean <numbers>", "the model's mean per channel").argParser(numbers("--mean")))
    .addOption(new Option("--std <numbers>", "the model's deviation per channel").argParser(numbers("--std")))
    .option("-o, --out <folder>", "where the mended model and repair.json go");
  addRunFlags(command).action((model: string, flags: RepairFlags) => repair(model, flags, console));
}

async function repair(model: string, flags: RepairFlags, console: Console): Promise<void> {
  const started = performance.now();
  const request = requestOf(flags);
  const { images, count, limit, out, seed, threads, quiet = false, json = false } = flags;
  const { signal } = console;
  if (isAddress(model)) {
    throw new OptionError(
      "repair: expected an ONNX file or its folder, got an address; because a repair changes weights. Do purify what goes into an endpoint instead: untrigger purify.",
    );
  }
  if (images === undefined) {
    throw new OptionError(
      "repair: expected clean images with labels, got none. Do name a folder or a data set with --images.",
    );
  }
  if (out === undefined) {
    throw new OptionError("repair: expected a folder for the mended model, got none. Do name one with -o FOLDER.");
  }
  if (resolve(out) === resolve(await modelFolder(model))) {
    throw new OptionError(
      `repair: expected another folder than the model's own, got ${out}. Do name one with -o FOLDER.`,
    );
  }
  const files = withNormalisation(await readClassifierFiles(model, { signal }), flags);
  const data = await readRepairData(images, { count, seed, limit, signal });
  const runtime = await openVerbRuntime(flags, console);
  const trigger = await openOwnTrigger(model, { runtime }, flags.trigger);
  const progress = createProgress(console, quiet, () => performance.now());
  try {
    const output = await prepareOutput(out);
    try {
      const result = await repairJob(request, files, data, {
        runtime,
        threads,
        signal,
        trigger,
        phase: (phase) => {
          if (phase !== "repair") progress.update(`measure ${phase}`, 0, undefined);
        },
        progress: (done, total) => progress.update("repair", done, total),
      });
      signal.throwIfAborted();
      for (const [path, bytes] of Object.entries(result.files)) await writeWhole(join(output.path, path), bytes);
      const seconds = Math.round((performance.now() - started) / 100) / 10;
      const record = { ...result.record, seconds };
      await writeWhole(join(output.path, "repair.json"), `${JSON.stringify(record, undefined, 2)}\n`);
      progress.close();
      if (json) console.out(`${JSON.stringify({ ...record, output: output.path }, undefined, 2)}\n`);
      else console.out(summaryOf(record, { out, seconds }));
    } catch (error) {
      await output.discard();
      throw error;
    }
  } finally {
    progress.close();
    await trigger?.dispose();
  }
}

/** The request, with method, preset and options checked before anything is opened. */
function requestOf({ method, preset, set = [], seed }: RepairFlags): RepairRequest {
  const descriptor = lookUp<RepairDescriptor>("repair", method, repairs);
  const request = { method, preset, options: parseSettings(set, descriptor.options), seed };
  chooseRepair(request);
  return request;
}

/** The files with the mean and deviation that flags give; the mended model's folder then says them too. */
function withNormalisation(files: OnnxClassifierFiles, { mean, std }: RepairFlags): OnnxClassifierFiles {
  if (mean === undefined && std === undefined) return files;
  const known = typeof files.preprocessor === "object" && files.preprocessor !== null ? files.preprocessor : {};
  const given = { ...(mean && { image_mean: mean }), ...(std && { image_std: std }), do_normalize: true };
  return { ...files, preprocessor: { ...known, ...given } };
}

function summaryOf(record: RepairRecord, { out, seconds }: { readonly out: string; readonly seconds: number }): string {
  const { method, pruned, images, before, after } = record;
  const channels = pruned.reduce((sum, layer) => sum + layer.channels.length, 0);
  const cut = channels === 0 ? "" : `, ${channels} channels of ${pruned.length} layers switched off`;
  const rows = [
    ["clean accuracy", "cleanAccuracy"],
    ["triggered, still right", "poisonedAccuracy"],
    ["attack success", "attackSuccess"],
    ["attack success, target class counted too", "attackSuccessAllClasses"],
  ].flatMap(([words = "", name = ""]) => {
    const [was, is] = [before.counts[name], after.counts[name]];
    return was === undefined || is === undefined ? [] : [[words, describeCount(was), describeCount(is)]];
  });
  const untold = record.trigger === null ? ["No trigger was given: attack success is not known."] : [];
  const lines = [
    `${method}: ${images.learned} images learned from, ${images.held} held out, ${record.steps} steps in ${formatSeconds(seconds)}${cut}`,
    formatTable([[`on ${images.test} test images`, "before", "after"], ...rows]).trimEnd(),
    ...untold,
    `${out}: model.onnx, repair.json`,
  ];
  return `${lines.join("\n")}\n`;
}

function describeCount(count: Count): string {
  if (count.total === 0) return "no such image";
  const { low, high } = wilsonInterval(count);
  const percent = (share: number): string => (100 * share).toFixed(2);
  return `${percent(count.hits / count.total)} % (${percent(low)} to ${percent(high)})`;
}
