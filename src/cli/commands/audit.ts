/** @file `untrigger audit PRIOR`: does a diffusion prior behave like a backdoored one, and what lies beside its weights? */
import { performance } from "node:perf_hooks";
import { type Command, Option } from "commander";
import { z } from "zod";
import { parseOptions } from "../../core/descriptor.ts";
import { OptionError } from "../../core/errors.ts";
import { type AuditRequest, auditJob } from "../../jobs/audit/audit.ts";
import { openPriorFolder } from "../../node/audit/prior-folder.ts";
import { cachedMeasures, openReferencePriors } from "../../node/audit/references.ts";
import { rememberAudit } from "../../node/audit/require-audit.ts";
import { writeAuditReport } from "../../node/audit/write-report.ts";
import { prepareOutput } from "../../node/output-folder.ts";
import { readTrainingData } from "../../node/training-data.ts";
import type { AuditRecord } from "../../results/audit-record.ts";
import type { Console } from "../console.ts";
import { addRunFlags, choice, gather, type RunFlags, share } from "../flags.ts";
import { createProgress, formatSeconds } from "../progress.ts";
import { parseSettings } from "../settings.ts";
import { openVerbRuntime } from "../verb-runtime.ts";

/** How much work an audit is; references are measured by the same. */
const options = z.object({
  iterations: z.int().min(1).max(10_000).default(60).describe("Steps of the search from each of its starts."),
  samples: z.int().min(2).max(1000).default(6).describe("Samples with the found shift, and without."),
  steps: z
    .int()
    .min(1)
    .max(1000)
    .default(1000)
    .describe("Calls of the net for a sample, by DDPM: backdoors need adjacent steps."),
  budget: z.number().gt(0).max(100).default(1).describe("Largest disturbance of a channel, with --images."),
  bound: z
    .enum(["paper", "official"])
    .default("paper")
    .describe("What the budget bounds: the disturbance, or scale and shift themselves."),
  pruningRate: z.number().gt(0).max(1).default(1e-3).describe("Learning rate of the disturbance."),
  pruningBatch: z.int().min(1).max(4096).default(32).describe("Images of a step of the disturbance."),
  pruningEpochs: z.int().min(1).max(100).default(5).describe("Times that samples are looked at meanwhile."),
  pruningSteps: z.int().min(1).max(10_000).default(20).describe("Steps between two looks."),
});

interface AuditFlags extends RunFlags {
  readonly references?: string;
  readonly images?: string;
  readonly set?: readonly string[];
  readonly fpr: number;
  readonly failOn?: "backdoored" | "undecided";
  readonly title?: string;
  readonly out?: string;
}

/** Adds the verb to the program. */
export function defineAudit(command: Command, console: Console): void {
  command
    .argument("<prior>", "a diffusers folder, a .pt or an .onnx file")
    .option("--references <folder>", "clean priors of the same size to compare with, each in a folder of its own")
    .option(
      "--images <name|folder>",
      "a data set of clean images, to disturb channels with; not needed for the verdict",
    )
    .addOption(new Option("--set <key=value>", "one option of the audit; may be repeated").argParser(gather))
    .addOption(
      new Option("--fpr <rate>", "share of clean priors that may be called backdoored")
        .argParser(share("--fpr"))
        .default(0.05),
    )
    .addOption(
      new Option(
        "--fail-on <finding>",
        "exit with 1 when the prior is: backdoored; or undecided, which means either",
      ).argParser(choice("--fail-on", ["backdoored", "undecided"])),
    )
    .option("--title <text>", "heading of the report; names the prior by default")
    .option("-o, --out <folder>", "where index.html, audit.json, results.jsonl and pictures/ go");
  addRunFlags(command).action((prior: string, flags: AuditFlags) => audit(prior, flags, console));
}

async function audit(place: string, flags: AuditFlags, console: Console): Promise<void> {
  const started = performance.now();
  const { out, threads, quiet = false, json = false, failOn } = flags;
  const { signal, env } = console;
  const request = requestOf(flags);
  if (out === undefined)
    throw new OptionError("audit: expected a folder for the report, got none. Do name one with -o FOLDER.");
  const references = flags.references === undefined ? [] : await openReferencePriors(flags.references);
  const audited = await openPriorFolder(place, signal);
  const data =
    flags.images === undefined
      ? undefined
      : await readTrainingData(flags.images, { limit: seenImages(request), signal });
  const runtime = await openVerbRuntime(flags, console);
  const output = await prepareOutput(out);
  const progress = createProgress(console, quiet, () => performance.now());
  try {
    const result = await auditJob(request, audited, {
      runtime,
      threads,
      signal,
      references,
      known: cachedMeasures(env),
      images: data?.train.images,
      progress: progress.update,
    });
    const seconds = Math.round((performance.now() - started) / 100) / 10;
    const record = await writeAuditReport(output.path, result, { title: flags.title ?? `Audit of ${place}`, seconds });
    await rememberAudit(record, env);
    progress.close();
    if (json) console.out(`${JSON.stringify({ ...record, seconds, output: output.path }, undefined, 2)}\n`);
    else console.out(summaryOf(record, { out, seconds }));
    const { verdict } = record;
    if (failOn === verdict || (failOn === "undecided" && verdict === "backdoored")) console.finding();
  } catch (error) {
    await output.discard();
    throw error;
  } finally {
    progress.close();
  }
}

/** The request, checked before anything is opened. */
function requestOf({ set = [], seed, fpr }: AuditFlags): AuditRequest {
  const settings = parseOptions({ name: "audit", options }, parseSettings(set, options));
  const { iterations, samples, steps, budget, bound } = settings;
  const { pruningRate: rate, pruningBatch: batch, pruningEpochs: epochs, pruningSteps } = settings;
  return {
    settings: { iterations, samples, steps, seed },
    pruning: { budget, bound, rate, batch, epochs, steps: pruningSteps, samples, sampleSteps: steps, seed },
    fpr,
  };
}

/** As many images as the disturbance sees, so that no more are read. */
function seenImages({ pruning: { batch, epochs, steps } }: AuditRequest): number {
  return batch * epochs * steps;
}

function summaryOf(record: AuditRecord, { out, seconds }: { readonly out: string; readonly seconds: number }): string {
  const lines = [
    `${record.verdict}. ${record.reason}`,
    ...record.findings.map(({ severity, text }) => `${severity}: ${text}`),
    `${out}: index.html, audit.json, results.jsonl, in ${formatSeconds(seconds)}`,
  ];
  return `${lines.join("\n")}\n`;
}
