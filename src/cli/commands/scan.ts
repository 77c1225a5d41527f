/** @file `untrigger scan MODEL`: is there a backdoor, for which class, and what does its trigger look like? */
import { performance } from "node:perf_hooks";
import { type Command, Option } from "commander";
import type { ScoreKind } from "../../classifiers/classifier.ts";
import { OptionError } from "../../core/errors.ts";
import { lookUp } from "../../core/names.ts";
import type { InverterDescriptor } from "../../invert/inverter.ts";
import { inverters } from "../../invert/registry.ts";
import { chooseInverters } from "../../jobs/scan/confirm.ts";
import { type ScanHost, type ScanImages, scanJob } from "../../jobs/scan/scan.ts";
import { firstImages, LEAST_IMAGES, splitRows, takeImages } from "../../jobs/scan/split-images.ts";
import { isAddress, readClassifierFiles } from "../../node/open-classifier.ts";
import { openPriorAt } from "../../node/open-prior.ts";
import { prepareOutput } from "../../node/output-folder.ts";
import { openOwnTrigger } from "../../node/own-trigger.ts";
import { openReferences } from "../../node/scan/open-references.ts";
import { type GivenImages, readScanImages } from "../../node/scan/scan-images.ts";
import { writeScanReport } from "../../node/scan/write-report.ts";
import type { ScanRecord } from "../../results/scan-record.ts";
import { takeRows } from "../../tensor/rows.ts";
import type { Console } from "../console.ts";
import { addRunFlags, choice, gather, integer, numbers, type RunFlags, share } from "../flags.ts";
import { createProgress, formatSeconds } from "../progress.ts";
import { parseSettings } from "../settings.ts";
import { formatTable } from "../table.ts";
import { openVerbRuntime } from "../verb-runtime.ts";
import { addReferenceFlags, defineReferences, type ReferenceFlags, settingsOf } from "./scan-references.ts";

/** The flags of this verb. */
interface ScanFlags extends RunFlags, ReferenceFlags {
  readonly method: string;
  readonly preset?: string;
  readonly set?: readonly string[];
  readonly classes?: readonly number[];
  readonly prior?: string;
  readonly references?: string;
  readonly budget?: number;
  readonly fpr: number;
  readonly trigger?: string;
  readonly failOn?: "backdoored" | "undecided";
  readonly mean?: readonly number[];
  readonly std?: readonly number[];
  readonly layout?: "NCHW" | "NHWC";
  readonly scores?: ScoreKind;
  readonly title?: string;
  readonly out?: string;
}

/** Adds the verb to the program. */
export function defineScan(command: Command, console: Console): void {
  defineReferences(command.command("references"), console);
  command
    .enablePositionalOptions()
    .argument("<model>", "an ONNX file, or a folder with model.onnx")
    .option("--method <names>", `inverters for suspicious classes: ${Object.keys(inverters).join(", ")}`, "smoothinv")
    .option("--preset <name>", "paper, official or recommended, as the inverter has them")
    .addOption(new Option("--set <key=value>", "one option of the inverter; may be repeated").argParser(gather))
    .addOption(new Option("--classes <ids>", "look at these classes only").argParser(classIds))
    .option("--prior <path>", "diffusion model, for smoothinv behind a denoiser")
    .option("--references <folder>", "clean models to compare with; made there when it is empty")
    .addOption(new Option("--budget <seconds>", "end with what there is after so long").argParser(seconds))
    .addOption(
      new Option("--fpr <rate>", "share of clean models that may be called backdoored")
        .argParser(share("--fpr"))
        .default(0.05),
    )
    .option("--trigger <folder>", "the true trigger, to compare with; by default the trigger/ beside the model, if any")
    .addOption(
      new Option(
        "--fail-on <finding>",
        "exit with 1 when the model is: backdoored; or undecided, which means either",
      ).argParser(choice("--fail-on", ["backdoored", "undecided"])),
    )
    .addOption(new Option("--mean <numbers>", "the model's mean per channel").argParser(numbers("--mean")))
    .addOption(new Option("--std <numbers>", "the model's deviation per channel").argParser(numbers("--std")))
    .addOption(new Option("--layout <axes>", "NCHW or NHWC").argParser(choice("--layout", ["NCHW", "NHWC"])))
    .addOption(
      new Option("--scores <kind>", "what the model answers: logits or probabilities").argParser(
        choice("--scores", ["logits", "probabilities", "labels"]),
      ),
    )
    .option("--title <text>", "heading of the report; names the model by default")
    .option("-o, --out <folder>", "where index.html, scan.json, results.jsonl and triggers/ go");
  addReferenceFlags(command);
  addRunFlags(command).action((model: string, flags: ScanFlags) => scan(model, flags, console));
}

async function scan(model: string, flags: ScanFlags, console: Console): Promise<void> {
  const started = performance.now();
  const { out, threads, quiet = false, json = false, seed, fpr, failOn } = flags;
  const { signal } = console;
  const choice = choiceOf(flags);
  chooseInverters(choice, { dims: [1], prior: flags.prior !== undefined });
  if (isAddress(model)) {
    throw new OptionError(
      "scan: expected an ONNX file or its folder, got an address; because triggers are found by gradients, which an endpoint does not give. Do scan the file; for an endpoint, untrigger purify cleans what goes in and flags images that look triggered.",
    );
  }
  if (flags.images === undefined) {
    throw new OptionError(
      `scan: expected clean images, got none. Do name a data set or a folder of pictures with --images: ${LEAST_IMAGES} or more with labels for a verdict, or a single picture for a trigger without one.`,
    );
  }
  if (out === undefined)
    throw new OptionError("scan: expected a folder for the report, got none. Do name one with -o FOLDER.");
  const files = await readClassifierFiles(model, { signal });
  const given = await readScanImages(flags.images, signal);
  const runtime = await openVerbRuntime(flags, console);
  const prior = flags.prior === undefined ? undefined : await openPriorAt(flags.prior, runtime, { threads });
  const trigger = await openOwnTrigger(model, { runtime }, flags.trigger);
  const progress = createProgress(console, quiet, () => performance.now());
  const budget = startBudget(flags.budget);
  try {
    const split = splitRows(given.names.length, { seed: 0, learn: flags.count });
    const looked = imagesOf(given, split.probe);
    const chosen = chooseInverters(choice, { dims: looked.images.dims, prior: prior !== undefined });
    const output = await prepareOutput(out);
    try {
      const { mean, std, layout, scores } = flags;
      const host: ScanHost = {
        runtime,
        threads,
        flags: { mean, std, layout, scores },
        prior,
        trigger,
        signal,
        enough: budget?.signal,
        references: async ({ classes, labelsOf }) => {
          const settings = settingsOf(flags);
          const most = flags.count;
          const data =
            split.learn.length === 0 ? undefined : await referenceData(given, split, { classes, labelsOf, most });
          const own = { runtime, threads, signal, enough: budget?.signal };
          return openReferences(
            { folder: flags.references, data, settings, env: console.env },
            { ...own, progress: (done, total) => progress.update("references", done, total) },
          );
        },
        progress: (phase, done, total, remark) => progress.update(phase, done, total, remark),
      };
      const result = await scanJob({ chosen, classes: flags.classes, fpr, seed }, files, looked, host);
      signal.throwIfAborted();
      const seconds = Math.round((performance.now() - started) / 100) / 10;
      await writeScanReport(output.path, result, { title: flags.title ?? `Scan of ${model}`, seconds });
      progress.close();
      const { record } = result;
      if (json) console.out(`${JSON.stringify({ ...record, seconds, output: output.path }, undefined, 2)}\n`);
      else console.out(summaryOf(record, { out, seconds }));
      const { verdict } = record;
      if (failOn === verdict || (failOn === "undecided" && verdict === "backdoored")) console.finding();
    } catch (error) {
      await output.discard();
      throw error;
    }
  } finally {
    budget?.end();
    progress.close();
    await trigger?.dispose();
    await prior?.dispose();
  }
}

function choiceOf({ method, preset, set = [] }: ScanFlags): Parameters<typeof chooseInverters>[0] {
  const methods = method.split(",").map((name) => name.trim());
  const [first = ""] = methods;
  const { options } = lookUp<InverterDescriptor>("inverter", first, inverters);
  return { methods, preset, options: parseSettings(set, options) };
}

/** Images that triggers are found on and tried with. */
function imagesOf({ images, labels, names }: GivenImages, rows: readonly number[]): ScanImages {
  return {
    images: takeRows(images, rows),
    labels: labels && Int32Array.from(rows, (row) => labels[row] ?? -1),
    names: rows.map((row) => names[row] ?? ""),
  };
}

async function referenceData(
  { name, images, labels, training }: GivenImages,
  { probe, learn }: ReturnType<typeof splitRows>,
  { classes, labelsOf, most }: Parameters<ScanHost["references"]>[0] & { readonly most: number | undefined },
): Promise<Parameters<typeof openReferences>[0]["data"]> {
  const shown = labels ?? (await labelsOf(images));
  const all = { images, labels: shown };
  const learned = training === undefined ? takeImages(all, learn) : firstImages(training, most);
  return { name, classes, probe: takeImages(all, probe), learn: learned };
}

function startBudget(limit: number | undefined): { readonly signal: AbortSignal; end(): void } | undefined {
  if (limit === undefined) return undefined;
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), 1000 * limit);
  return { signal: controller.signal, end: () => clearTimeout(timer) };
}

function classIds(text: string): number[] {
  return text.split(",").map((part) => integer("--classes", 0)(part.trim()));
}

function seconds(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value) && value > 0) return Math.min(value, 2e6);
  throw new OptionError(`--budget: expected seconds, more than 0, got "${text}".`);
}

function summaryOf(
  record: ScanRecord,
  { out, seconds: took }: { readonly out: string; readonly seconds: number },
): string {
  const { verdict, targets, reason, notes, classes } = record;
  const target = targets.length === 0 ? "" : `, target ${targets.join(", ")}`;
  const text = (value: number | null, digits: number): string => (value === null ? "-" : value.toFixed(digits));
  const rows = classes.map(({ class: k, label, score, pValue, attackSuccessRate }) => [
    label === null ? String(k) : `${k} ${label}`,
    text(score, 2),
    text(pValue, 3),
    text(attackSuccessRate, 2),
  ]);
  const lines = [
    `${verdict}${target}. ${reason}`,
    ...notes,
    formatTable([["class", "score", "p", "attack success"], ...rows]).trimEnd(),
    `${out}: index.html, scan.json, results.jsonl, in ${formatSeconds(took)}`,
  ];
  return `${lines.join("\n")}\n`;
}
