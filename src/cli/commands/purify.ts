/** @file `untrigger purify IMAGES…`: flags to a request, results to files, and what was found to the terminal. */
import { performance } from "node:perf_hooks";
import { type Command, Option } from "commander";
import { OptionError } from "../../core/errors.ts";
import { lookUp } from "../../core/names.ts";
import { type PurifyRequest, purifyPictures } from "../../jobs/purify.ts";
import { planVotes } from "../../jobs/votes.ts";
import { listImages } from "../../node/list-images.ts";
import { openPictures } from "../../node/open-pictures.ts";
import { prepareOutput } from "../../node/output-folder.ts";
import { purifiers } from "../../purify/registry.ts";
import { type AnswerRule, answerRules, type PurifySummary } from "../../results/purify-row.ts";
import type { Console } from "../console.ts";
import { addRunFlags, choice, gather, integer, numbers, share } from "../flags.ts";
import { createProgress } from "../progress.ts";
import { parseSettings } from "../settings.ts";
import { type AssetFlags, openAssets } from "./purify-assets.ts";
import { createResults } from "./purify-results.ts";
import { showSummary } from "./purify-summary.ts";

/** The flags of this verb. */
export interface PurifyFlags extends AssetFlags {
  readonly method: string;
  readonly preset?: string;
  readonly set?: readonly string[];
  readonly votes?: number;
  readonly fit?: boolean;
  readonly channels?: 1 | 3;
  readonly calibrate?: string;
  readonly fpr: number;
  readonly batch: number;
  readonly answer: AnswerRule;
  readonly failOn?: "flagged";
  readonly preview: boolean;
  readonly out?: string;
}

/** Adds the verb to the program. */
export function definePurify(command: Command, console: Console): void {
  command
    .argument("<images...>", "pictures, folders, patterns, .npy, .npz or IDX files")
    .option("-o, --out <folder>", "where images/, evidence/ and results.jsonl go")
    .option("--method <name>", "see: untrigger methods", "diffpure")
    .option("--preset <name>", "paper, official, fast, recommended or strong, as the method has them")
    .addOption(new Option("--set <key=value>", "one option of the method; may be repeated").argParser(gather))
    .addOption(new Option("--votes <k>", "purify k times and average").argParser(integer("--votes", 1)))
    .option("--prior <path>", "diffusion model: a diffusers folder, a .pt or an .onnx file")
    .option(
      "--require-audit [report]",
      "refuse a prior whose files are not those that this audit (or your last one) saw",
    )
    .addOption(
      new Option("--precision <kind>", "how the diffusion model computes: f32, or int8 (faster on a CPU)")
        .argParser(choice("--precision", ["f32", "int8"]))
        .default("f32"),
    )
    .option("--classifier <path|url>", "the classifier to protect: an ONNX file, a folder, or an endpoint")
    .addOption(new Option("--mean <numbers>", "the classifier's mean per channel").argParser(numbers("--mean")))
    .addOption(new Option("--std <numbers>", "the classifier's deviation per channel").argParser(numbers("--std")))
    .addOption(new Option("--layout <axes>", "NCHW or NHWC").argParser(choice("--layout", ["NCHW", "NHWC"])))
    .addOption(
      new Option("--scores <kind>", "what the classifier answers: logits, probabilities or labels").argParser(
        choice("--scores", ["logits", "probabilities", "labels"]),
      ),
    )
    .option("--labels <file>", "names of the classes: a JSON list, or one a line")
    .option("--fit", "resize pictures to the model's size")
    .addOption(new Option("--channels <n>", "convert pictures to grey (1) or colour (3)").argParser(readChannels))
    .option("--calibrate <folder>", "clean pictures that set the threshold of suspicion")
    .addOption(
      new Option("--fpr <rate>", "share of clean pictures that may be flagged").argParser(share("--fpr")).default(0.05),
    )
    .addOption(
      new Option(
        "--answer <rule>",
        "purified: label of the purified picture; verdict: the picture's own unless flagged",
      )
        .argParser(choice("--answer", answerRules))
        .default("purified"),
    )
    .addOption(new Option("--batch <n>", "pictures in one batch").argParser(integer("--batch", 1, 4096)).default(64))
    .addOption(
      new Option("--fail-on <finding>", "exit with 1 when a picture is: flagged").argParser(
        choice("--fail-on", ["flagged"]),
      ),
    )
    .option("--no-preview", "show no pictures in the terminal");
  addRunFlags(command).action((images: readonly string[], flags: PurifyFlags) => purify(images, flags, console));
}

async function purify(images: readonly string[], flags: PurifyFlags, console: Console): Promise<void> {
  const started = performance.now();
  const { signal } = console;
  const request = requestOf(flags);
  const { out } = flags;
  if (flags.requireAudit !== undefined && flags.prior === undefined) {
    throw new OptionError("--require-audit: expected a prior to ask it of, got none. Do name one with --prior.");
  }
  // Asked for here and not by the parser, which would hide a misspelt option behind this.
  if (out === undefined)
    throw new OptionError("purify: expected a folder for the results, got none. Do name one with -o FOLDER.");
  const pictures = await openPictures(await listImages(images, { exclude: out }), { signal });
  const clean = flags.calibrate === undefined ? [] : await listImages([flags.calibrate]);
  const calibration = clean.length === 0 ? undefined : (await openPictures(clean, { signal })).read();
  const assets = await openAssets(flags, console);
  const progress = createProgress(console, flags.quiet === true, () => performance.now());
  try {
    const canFlag =
      calibration !== undefined || (assets.calibrationFile !== undefined && assets.classifier !== undefined);
    if (flags.failOn === "flagged" && !canFlag) throw noThreshold();
    const output = await prepareOutput(out);
    const results = createResults(output.path, { keepRows: flags.json === true });
    try {
      const summary = await purifyPictures(request, {
        ...assets,
        pictures: pictures.read(),
        total: pictures.count,
        calibration,
        sink: results.write,
        signal,
        progress: progress.update,
      });
      const seconds = (performance.now() - started) / 1000;
      await results.finish({ ...summary, seconds });
      progress.close();
      await showSummary(console, { summary, seconds, results, flags });
      if (flags.failOn === "flagged") judge(summary, console);
    } catch (error) {
      await results.settle();
      await output.discard();
      throw error;
    }
  } finally {
    progress.close();
    await assets.dispose();
  }
}

/** A gate that can never close must not look like an open one. */
function noThreshold(): OptionError {
  return new OptionError(
    "--fail-on flagged: expected a threshold for these settings, got none. Do give clean pictures with --calibrate FOLDER.",
  );
}

function judge({ threshold, flagged }: PurifySummary, console: Console): void {
  if (threshold === null) throw noThreshold();
  if ((flagged ?? 0) > 0) console.finding();
}

/** The request, with method, preset and options checked before anything is opened. */
function requestOf(flags: PurifyFlags): PurifyRequest {
  const descriptor = lookUp("purifier", flags.method, purifiers);
  const options = parseSettings(flags.set ?? [], descriptor.options);
  const { method, preset, votes, seed, batch, fpr, fit = false, channels, answer } = flags;
  planVotes(descriptor, { preset, options, votes });
  return { method, preset, options, votes, seed, batch, fpr, fit, channels, answer };
}

function readChannels(text: string): 1 | 3 {
  return choice("--channels", ["1", "3"])(text) === "1" ? 1 : 3;
}
