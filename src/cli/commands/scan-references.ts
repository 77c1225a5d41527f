/** @file `untrigger scan references`: clean models to compare with, made ahead of time. */
import { performance } from "node:perf_hooks";
import { type Command, Option } from "commander";
import { OptionError } from "../../core/errors.ts";
import {
  parseNetworks,
  type ReferenceNetwork,
  type ReferenceSettings,
  referenceDefaults,
} from "../../jobs/scan/reference-settings.ts";
import { referenceKey } from "../../jobs/scan/references.ts";
import { firstImages, LEAST_IMAGES, splitRows, takeImages } from "../../jobs/scan/split-images.ts";
import { meanOf } from "../../jobs/scan/statistic.ts";
import { cachedReferences, openReferences } from "../../node/scan/open-references.ts";
import { readScanImages } from "../../node/scan/scan-images.ts";
import type { Console } from "../console.ts";
import { addRunFlags, integer, type RunFlags } from "../flags.ts";
import { createProgress, formatSeconds } from "../progress.ts";
import { openVerbRuntime } from "../verb-runtime.ts";

/** Flags that say what references are made from, and how. */
export interface ReferenceFlags {
  readonly images?: string;
  readonly count?: number;
  readonly referenceCount: number;
  readonly referenceNetworks: readonly ReferenceNetwork[];
  readonly referenceVisits: number;
}

interface MakeFlags extends RunFlags, ReferenceFlags {
  readonly outputs?: number;
  readonly out?: string;
}

/** Adds the flags of {@link ReferenceFlags}. */
export function addReferenceFlags(command: Command): Command {
  const { count, networks, visits } = referenceDefaults;
  return command
    .option("--images <folder|name|picture>", "clean pictures, with labels for a verdict; or a data set")
    .addOption(
      new Option("--count <n>", "images that references learn from; all that there are by default").argParser(
        integer("--count", 1),
      ),
    )
    .addOption(
      new Option("--reference-count <n>", "clean models to compare with; 19 are the fewest for a rate of .05")
        .argParser(integer("--reference-count", 2, 1000))
        .default(count),
    )
    .addOption(
      new Option("--reference-networks <names>", "what they are, taken in turns: NAME:WIDTH,...")
        .argParser(parseNetworks)
        .default(networks, "small-cnn:16"),
    )
    .addOption(
      new Option("--reference-visits <n>", "images that the training of each sees, again and again")
        .argParser(integer("--reference-visits", 1))
        .default(visits),
    );
}

/** How references are made, from flags. They do not depend on the seed of a scan, so that scans share them. */
export function settingsOf({ referenceCount, referenceNetworks, referenceVisits }: ReferenceFlags): ReferenceSettings {
  return { ...referenceDefaults, count: referenceCount, networks: referenceNetworks, visits: referenceVisits };
}

/** Adds the verb to the program. */
export function defineReferences(command: Command, console: Console): void {
  command.description("train and measure clean models that scans compare with");
  addReferenceFlags(command)
    .addOption(
      new Option("--outputs <n>", "scores of the models to scan; the classes of the images by default").argParser(
        integer("--outputs", 2),
      ),
    )
    .option("-o, --out <folder>", "where they go; the user's cache, where scans look, by default");
  addRunFlags(command).action((flags: MakeFlags) => make(flags, console));
}

async function make(flags: MakeFlags, console: Console): Promise<void> {
  const started = performance.now();
  const { images: place, threads, quiet = false, json = false, out } = flags;
  const { signal } = console;
  if (place === undefined) {
    throw new OptionError(
      "scan references: expected clean images with labels, got none. Do name a folder or a data set with --images.",
    );
  }
  const given = await readScanImages(place, signal);
  const { labels } = given;
  if (labels === undefined || given.classes === undefined) {
    throw new OptionError(
      `scan references: expected images with labels, got ${place} without. Do add labels.json, or sort them into folders of classes.`,
    );
  }
  const split = splitRows(given.names.length, { seed: 0, learn: flags.count });
  if (split.learn.length === 0) {
    throw new OptionError(`scan references: expected ${LEAST_IMAGES} images or more, got ${given.names.length}.`);
  }
  const runtime = await openVerbRuntime(flags, console);
  const all = { images: given.images, labels };
  const data = {
    name: given.name,
    classes: flags.outputs ?? given.classes,
    probe: takeImages(all, split.probe),
    learn: given.training === undefined ? takeImages(all, split.learn) : firstImages(given.training, flags.count),
  };
  const settings = settingsOf(flags);
  const folder = out ?? cachedReferences(referenceKey(data, settings), console.env);
  const progress = createProgress(console, quiet, () => performance.now());
  try {
    const references = await openReferences(
      { folder, data, settings },
      { runtime, threads, signal, progress: (done, total) => progress.update("references", done, total) },
    );
    progress.close();
    const seconds = Math.round((performance.now() - started) / 100) / 10;
    const measures = references?.measures ?? [];
    const accuracy = meanOf(measures.map((one) => one.accuracy));
    const count = measures.length;
    const document = {
      schema: "untrigger/scan-references@1",
      key: references?.key,
      count,
      accuracy,
      output: folder,
      seconds,
    };
    if (json) console.out(`${JSON.stringify(document, undefined, 2)}\n`);
    else {
      const words = `${count} references, accuracy ${(100 * accuracy).toFixed(1)} %, in ${formatSeconds(seconds)}`;
      console.out(`${words}\n${folder}\n`);
    }
  } finally {
    progress.close();
  }
}
