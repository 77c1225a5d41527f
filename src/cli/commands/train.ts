/** @file `untrigger train classifier|prior|mae`: flags to a request, trained networks to folders. */
import { type Command, Option } from "commander";
import { parseOptions } from "../../core/descriptor.ts";
import { lookUp } from "../../core/names.ts";
import { unetOptions } from "../../diffusion/unet/plan-unet.ts";
import { trainingSchedule } from "../../diffusion/write-prior.ts";
import { trainClassifierJob } from "../../jobs/training/classifier.ts";
import { trainMaeJob } from "../../jobs/training/mae.ts";
import { trainPriorJob } from "../../jobs/training/prior.ts";
import { classifierRecipe, generativeRecipe, type Recipe } from "../../jobs/training/recipe.ts";
import type { Architecture } from "../../nn/architectures/architecture.ts";
import { architectures } from "../../nn/architectures/registry.ts";
import { maskedAutoencoderOptions } from "../../nn/generators/masked-autoencoder.ts";
import { readClassifierFiles } from "../../node/open-classifier.ts";
import type { Console } from "../console.ts";
import { addRunFlags, gather, integer, type RunFlags } from "../flags.ts";
import { parseSettings } from "../settings.ts";
import { type TrainingRun, withTrainingRun } from "./train-run.ts";

/** The flags that every kind of training has. */
export interface TrainFlags extends RunFlags {
  readonly data?: string;
  readonly limit?: number;
  readonly out?: string;
  readonly set?: readonly string[];
}

/** Adds the verb to the program. */
export function defineTrain(command: Command, console: Console): void {
  addTrainFlags(command.command("classifier").description("train a classifier, or go on with one of your own"))
    .option("--architecture <name>", `one of ${Object.keys(architectures).join(", ")}`, "small-cnn")
    .option("--fine-tune <model>", "an ONNX file, or a folder with model.onnx, whose weights learn on")
    .action((flags: ClassifierFlags) => trainClassifier(flags, console));
  addTrainFlags(command.command("prior").description("train a diffusion model on the images of a data set"))
    .addOption(
      new Option("--sample-every <n>", "steps between two sheets of samples; 0 for one at the end")
        .argParser(integer("--sample-every", 0))
        .default(1000),
    )
    .action((flags: PriorFlags) => trainPrior(flags, console));
  addTrainFlags(
    command.command("mae").description("train a masked auto-encoder, which paints hidden parts of images"),
  ).action((flags: TrainFlags) => trainMae(flags, console));
}

function addTrainFlags(command: Command): Command {
  command
    .option("--data <name|folder>", "the data set; see: untrigger data list")
    .addOption(new Option("--limit <n>", "use the first n images of each split").argParser(integer("--limit", 1)))
    .option("-o, --out <folder>", "where the network goes; a training that was stopped goes on from there")
    .addOption(
      new Option("--set <key=value>", "one option of the training or the network; may be repeated").argParser(gather),
    );
  return addRunFlags(command);
}

interface ClassifierFlags extends TrainFlags {
  readonly architecture: string;
  readonly fineTune?: string;
}

async function trainClassifier(flags: ClassifierFlags, console: Console): Promise<void> {
  const { architecture, fineTune, seed, set = [] } = flags;
  const { signal } = console;
  const descriptor: Architecture = lookUp("architecture", architecture, architectures);
  const own = fineTune === undefined ? descriptor.options.shape : {};
  const { recipe, rest } = readOptions(set, { recipe: classifierRecipe, own, subject: "train classifier" });
  const request = { architecture, options: rest, recipe, seed };
  const files = fineTune === undefined ? undefined : await readClassifierFiles(fineTune, { signal });
  await withTrainingRun(flags, console, async (run) => {
    const result = await trainClassifierJob(request, run.data, { ...run.host, fineTune: files });
    await run.finish(result);
  });
}

interface PriorFlags extends TrainFlags {
  readonly sampleEvery: number;
}

async function trainPrior(flags: PriorFlags, console: Console): Promise<void> {
  const { seed, set = [], sampleEvery } = flags;
  const { channels, height, width, ...unet } = unetOptions.shape;
  const noise = trainingSchedule.shape;
  const own = { ...unet, ...noise };
  const { recipe, rest } = readOptions(set, { recipe: generativeRecipe, own, subject: "train prior" });
  const among = (keys: object): Record<string, unknown> =>
    Object.fromEntries(Object.entries(rest).filter(([key]) => Object.hasOwn(keys, key)));
  const request = { unet: among(unet), noise: among(noise), recipe, seed, sampleEvery };
  await withTrainingRun(flags, console, async (run: TrainingRun) => {
    const result = await trainPriorJob(request, run.data, { ...run.host, showSamples: run.showSamples });
    await run.finish(result);
  });
}

async function trainMae(flags: TrainFlags, console: Console): Promise<void> {
  const { seed, set = [] } = flags;
  const own = maskedAutoencoderOptions.shape;
  const { recipe, rest } = readOptions(set, { recipe: generativeRecipe, own, subject: "train mae" });
  await withTrainingRun(flags, console, async (run) => {
    await run.finish(await trainMaeJob({ options: rest, recipe, seed }, run.data, run.host));
  });
}

/** Splits `--set` into the training's options and those of the network. */
function readOptions(
  pairs: readonly string[],
  { recipe, own, subject }: { recipe: typeof classifierRecipe; own: Architecture["options"]["shape"]; subject: string },
): { recipe: Recipe; rest: Record<string, unknown> } {
  const all = recipe.extend(own);
  const settings = parseSettings(pairs, all);
  parseOptions({ name: subject, options: all }, settings);
  const isRecipe = (key: string): boolean => Object.hasOwn(recipe.shape, key);
  const entries = Object.entries(settings);
  return {
    recipe: parseOptions(
      { name: subject, options: recipe },
      Object.fromEntries(entries.filter(([key]) => isRecipe(key))),
    ),
    rest: Object.fromEntries(entries.filter(([key]) => !isRecipe(key))),
  };
}
