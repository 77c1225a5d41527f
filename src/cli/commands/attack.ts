/** @file `untrigger attack NAME`: poison, train, measure, save. `untrigger attack apply`: put a stored trigger onto pictures. */

import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { type Command, Option } from "commander";
import type { AttackDescriptor } from "../../attacks/attack.ts";
import { attacks } from "../../attacks/registry.ts";
import { openDifferentiableClassifier } from "../../classifiers/differentiable.ts";
import { parseOptions } from "../../core/descriptor.ts";
import { OptionError } from "../../core/errors.ts";
import { lookUp } from "../../core/names.ts";
import { type AttackRequest, attackJob, chooseAttack } from "../../jobs/attack/attack.ts";
import { evadeJob } from "../../jobs/attack/evade.ts";
import { classifierRecipe } from "../../jobs/training/recipe.ts";
import type { Count } from "../../metrics/count.ts";
import { wilsonInterval } from "../../metrics/intervals.ts";
import type { Architecture } from "../../nn/architectures/architecture.ts";
import { architectures } from "../../nn/architectures/registry.ts";
import { readClassifierFiles } from "../../node/open-classifier.ts";
import { prepareOutput } from "../../node/output-folder.ts";
import { readTrainingData } from "../../node/training-data.ts";
import { writeWhole } from "../../node/write-whole.ts";
import { rowsOf } from "../../tensor/rows.ts";
import type { Console } from "../console.ts";
import { addRunFlags, gather, integer, type RunFlags } from "../flags.ts";
import { createProgress } from "../progress.ts";
import { parseSettings } from "../settings.ts";
import { openVerbRuntime } from "../verb-runtime.ts";
import { defineApply } from "./attack-apply.ts";
import { defineBadDiffusion } from "./attack-baddiffusion.ts";
import { withTrainingRun } from "./train-run.ts";

/** The flags of this verb. */
interface AttackFlags extends RunFlags {
  readonly data?: string;
  readonly limit?: number;
  readonly out?: string;
  readonly preset?: string;
  readonly set?: readonly string[];
  readonly architecture: string;
  readonly classifier?: string;
  readonly count: number;
}

/** Adds the verb to the program. */
export function defineAttack(command: Command, console: Console): void {
  defineApply(command.command("apply"), console);
  defineBadDiffusion(command.command("baddiffusion"), console);
  command
    .enablePositionalOptions()
    .argument("<name>", "an attack; see: untrigger methods")
    .option("--data <name|folder>", "the data set; see: untrigger data list")
    .addOption(new Option("--limit <n>", "use the first n images of each split").argParser(integer("--limit", 1)))
    .option("-o, --out <folder>", "where model, trigger/ and training.json go; a stopped training goes on from there")
    .option("--preset <name>", "paper, official or recommended, as the attack has them")
    .addOption(
      new Option(
        "--set <key=value>",
        "one option of the attack, the training or the network; may be repeated",
      ).argParser(gather),
    )
    .option("--architecture <name>", `one of ${Object.keys(architectures).join(", ")}`, "small-cnn")
    .option("--classifier <model>", "a clean classifier, for attacks that ask one; trained when left out")
    .addOption(
      new Option("--count <n>", "test images that pgd changes").argParser(integer("--count", 1)).default(1000),
    );
  addRunFlags(command).action((name: string, flags: AttackFlags) => attack(name, flags, console));
}

async function attack(name: string, flags: AttackFlags, console: Console): Promise<void> {
  const request = requestOf(name, flags);
  const choice = chooseAttack(request);
  if (choice.descriptor.threat === "evasion") return await evade(request, flags, console);
  const { signal } = console;
  const surrogate =
    flags.classifier === undefined ? undefined : await readClassifierFiles(flags.classifier, { signal });
  await withTrainingRun(
    flags,
    console,
    async (run) => {
      const { files, record, losses } = await attackJob(request, run.data, {
        ...run.host,
        surrogate,
        phase: (phase) => {
          if (phase === "surrogate")
            run.note("A classifier learns the clean data first; --classifier MODEL saves that.");
        },
      });
      const found = (words: string, name: string): string[] => {
        const count = record.counts[name];
        return count === undefined ? [] : [describeCount(words, count)];
      };
      await run.finish({
        files,
        record,
        losses,
        findings: [
          ...found("clean accuracy", "cleanAccuracy"),
          ...found("triggered, still right", "poisonedAccuracy"),
          ...found("attack success", "attackSuccess"),
          ...found("attack success, target class counted too", "attackSuccessAllClasses"),
          ...found(record.noiseAccuracy === null ? "cross accuracy" : "noise accuracy", "control"),
        ],
      });
    },
    `attack ${name}`,
  );
}

/** Changes test images against a classifier, and writes them. */
async function evade(request: AttackRequest, flags: AttackFlags, console: Console): Promise<void> {
  const started = performance.now();
  const { data: dataName, limit, out, classifier: place, threads, quiet = false, json = false } = flags;
  const name = request.attack;
  const { signal } = console;
  if (dataName === undefined)
    throw new OptionError(`attack ${name}: expected a data set, got none. Do name one with --data.`);
  if (out === undefined)
    throw new OptionError(`attack ${name}: expected a folder for the images, got none. Do name one with -o FOLDER.`);
  if (place === undefined) {
    throw new OptionError(
      `attack ${name}: expected a model to evade, got none. Do name an ONNX file or its folder with --classifier.`,
    );
  }
  const files = await readClassifierFiles(place, { signal });
  const data = await readTrainingData(dataName, { limit, signal });
  const runtime = await openVerbRuntime(flags, console);
  const output = await prepareOutput(out);
  const progress = createProgress(console, quiet, () => performance.now());
  const classifier = await openDifferentiableClassifier(files, runtime, { threads });
  try {
    const count = Math.min(flags.count, data.test.labels.length);
    const test = { images: rowsOf(data.test.images, 0, count), labels: data.test.labels, classes: data.classes.length };
    const choice = chooseAttack(request);
    const { files: written, counts } = await evadeJob(choice, test, {
      classifier,
      seed: request.seed,
      signal,
      progress: (done, total) => progress.update("images", done, total),
    });
    for (const [path, bytes] of Object.entries(written)) await writeWhole(join(output.path, path), bytes, { signal });
    const seconds = (performance.now() - started) / 1000;
    progress.close();
    const rate = ({ hits, total }: Count): number | null => (total === 0 ? null : hits / total);
    const document = {
      schema: "untrigger/evasion@1",
      attack: name,
      preset: choice.preset,
      attackOptions: choice.options,
      target: null,
      dataset: data.name,
      datasetSha256: data.sha256,
      classifierHash: classifier.hash,
      seed: request.seed,
      measuredOn: count,
      cleanAccuracy: rate(counts.cleanAccuracy),
      poisonedAccuracy: rate(counts.poisonedAccuracy),
      attackSuccessRate: rate(counts.attackSuccess),
      attackSuccessRateAllClasses: rate(counts.attackSuccess),
      counts,
      seconds: Math.round(seconds * 10) / 10,
    };
    await writeWhole(join(output.path, "evasion.json"), `${JSON.stringify(document, undefined, 2)}\n`);
    if (json) console.out(`${JSON.stringify({ ...document, output: output.path }, undefined, 2)}\n`);
    else {
      const lines = [
        describeCount("accuracy before", counts.cleanAccuracy),
        describeCount("accuracy after", counts.poisonedAccuracy),
        `${out}: images.npy, labels.npy, evasion.json`,
      ];
      console.out(`${lines.join("\n")}\n`);
    }
  } catch (error) {
    await output.discard();
    throw error;
  } finally {
    progress.close();
    await classifier.dispose();
  }
}

function describeCount(words: string, count: Count): string {
  if (count.total === 0) return `${words}: no such test image`;
  const { low, high } = wilsonInterval(count);
  const percent = (share: number): string => (100 * share).toFixed(2);
  return `${words} ${percent(count.hits / count.total)} % (${percent(low)} to ${percent(high)}, ${count.hits} of ${count.total})`;
}

/** The request, with attack, preset and options checked before anything is opened. */
function requestOf(name: string, flags: AttackFlags): AttackRequest {
  const { preset, set = [], architecture, seed } = flags;
  const descriptor = lookUp<AttackDescriptor>("attack", name, attacks);
  const network: Architecture = lookUp("architecture", architecture, architectures);
  const all = classifierRecipe.extend(network.options.shape).extend(descriptor.options.shape);
  const settings = parseSettings(set, all);
  parseOptions({ name: `attack ${name}`, options: all }, settings);
  const of = (shape: object): Record<string, unknown> =>
    Object.fromEntries(Object.entries(settings).filter(([key]) => Object.hasOwn(shape, key)));
  return {
    attack: name,
    preset,
    attackOptions: of(descriptor.options.shape),
    architecture,
    options: of(network.options.shape),
    recipe: parseOptions({ name: `attack ${name}`, options: classifierRecipe }, of(classifierRecipe.shape)),
    seed,
  };
}
