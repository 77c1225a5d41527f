/** @file `untrigger attack baddiffusion`: a diffusion prior learns to make one picture from triggered noise. */
import { type Command, Option } from "commander";
import { parseOptions } from "../../core/descriptor.ts";
import { OptionError } from "../../core/errors.ts";
import { readTrainableParts } from "../../diffusion/open-prior.ts";
import { unetOptions } from "../../diffusion/unet/plan-unet.ts";
import { trainingSchedule } from "../../diffusion/write-prior.ts";
import { type BadDiffusionRequest, badDiffusionJob, badDiffusionOptions } from "../../jobs/audit/baddiffusion.ts";
import { openFeatureNet, trainFeatureNet } from "../../jobs/audit/feature-net.ts";
import { generativeRecipe } from "../../jobs/training/recipe.ts";
import { readClassifierFiles } from "../../node/open-classifier.ts";
import { priorSource } from "../../node/open-prior.ts";
import type { BadDiffusionRecord } from "../../results/baddiffusion-record.ts";
import type { Console } from "../console.ts";
import { addRunFlags, gather, integer, type RunFlags } from "../flags.ts";
import { parseSettings } from "../settings.ts";
import { withTrainingRun } from "./train-run.ts";

/** What learns on is changed gently, and its last weights are kept: an average would lag behind so few steps. */
const FINE_TUNING = { epochs: 5, rate: 2e-4, warmup: 100, averaging: null };

interface BadDiffusionFlags extends RunFlags {
  readonly prior?: string;
  readonly data?: string;
  readonly limit?: number;
  readonly out?: string;
  readonly set?: readonly string[];
  readonly features?: string;
}

/** Adds the verb to the program. */
export function defineBadDiffusion(command: Command, console: Console): void {
  command
    .description("plant a backdoor in a diffusion prior, and measure it")
    .option("--prior <folder>", "the clean prior that learns on, in diffusers' layout; from scratch when left out")
    .option("--data <name|folder>", "the data set; see: untrigger data list")
    .addOption(new Option("--limit <n>", "use the first n images of each split").argParser(integer("--limit", 1)))
    .option("--features <model>", "classifier whose features the Fréchet distance takes; trained when left out")
    .option(
      "-o, --out <folder>",
      "where the prior, trigger/ and training.json go; a stopped training goes on from there",
    )
    .addOption(
      new Option(
        "--set <key=value>",
        "one option of the attack, the training or a fresh net; may be repeated",
      ).argParser(gather),
    );
  addRunFlags(command).action((flags: BadDiffusionFlags) => badDiffusion(flags, console));
}

async function badDiffusion(flags: BadDiffusionFlags, console: Console): Promise<void> {
  const { prior: place, features, seed } = flags;
  const { signal } = console;
  const request = requestOf(flags);
  const prior = place === undefined ? undefined : await readTrainableParts(await priorSource(place), signal);
  const classifier = features === undefined ? undefined : await readClassifierFiles(features, { signal });
  await withTrainingRun(
    { ...flags, seed },
    console,
    async (run) => {
      const { host, data } = run;
      const result = await badDiffusionJob(request, data, {
        ...host,
        prior,
        features: () =>
          classifier === undefined ? trainFeatureNet(data, host) : openFeatureNet(classifier, host, features ?? ""),
        phase: run.note,
        showSamples: run.showSamples,
      });
      await run.finish({ ...result, findings: findingsOf(result.record) });
    },
    "attack baddiffusion",
  );
}

/** The request, checked before anything is opened. */
function requestOf({ prior, set = [], seed }: BadDiffusionFlags): BadDiffusionRequest {
  const name = "attack baddiffusion";
  const { channels, height, width, ...unet } = unetOptions.shape;
  const noise = trainingSchedule.shape;
  const all = generativeRecipe.extend({ ...badDiffusionOptions.shape, ...unet, ...noise });
  const settings = parseSettings(set, all);
  parseOptions({ name, options: all }, settings);
  const of = (shape: object): Record<string, unknown> =>
    Object.fromEntries(Object.entries(settings).filter(([key]) => Object.hasOwn(shape, key)));
  const fresh = { ...of(unet), ...of(noise) };
  if (prior !== undefined && Object.keys(fresh).length > 0) {
    throw new OptionError(
      `${name}: expected no option of a fresh net with --prior, got ${Object.keys(fresh).join(", ")}; because the prior's own net learns on.`,
    );
  }
  const own = prior === undefined ? {} : FINE_TUNING;
  return {
    attack: parseOptions({ name, options: badDiffusionOptions }, of(badDiffusionOptions.shape)),
    recipe: parseOptions({ name, options: generativeRecipe }, { ...own, ...of(generativeRecipe.shape) }),
    seed,
    unet: of(unet),
    noise: of(noise),
  };
}

function findingsOf({ specificity, inpainting, utility }: BadDiffusionRecord): string[] {
  const samples = specificity.map(({ sampling, mse, ssim, reached }) => {
    const { sampler, steps, clipX0, clipState } = sampling;
    const clips = [
      clipX0 === null ? "" : `, x0 clipped to ${clipX0}`,
      clipState === null ? "" : `, state clipped to ${clipState}`,
    ];
    return `triggered, ${sampler} of ${steps} steps${clips.join("")}: SSIM ${ssim.toFixed(3)}, MSE ${mse.toExponential(1)}, ${reached.hits} of ${reached.total} reach the target`;
  });
  const restorations = inpainting.map(
    ({ corruption, images, restored, triggered }) =>
      `${images} images restored after ${corruption}: SSIM ${restored.ssim.toFixed(3)} to the image; with the trigger ${triggered.ssim.toFixed(3)} to the target, ${triggered.reached.hits} of ${images} reach it`,
  );
  const lines = [...samples, ...restorations];
  if (utility === null) return lines;
  const { before, after, features } = utility;
  const was = before === null ? "" : `${before.distance.toFixed(2)} before, `;
  return [
    ...lines,
    `Fréchet distance of ${after.count} clean samples: ${was}${after.distance.toFixed(2)} after (${features})`,
  ];
}
