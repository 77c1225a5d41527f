/** @file What jobs need of this machine (images, models, priors), opened once for jobs that follow each other. */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { Trigger } from "../../attacks/trigger.ts";
import { readTrigger } from "../../attacks/trigger-folder.ts";
import type { Classifier } from "../../classifiers/classifier.ts";
import type { DifferentiableClassifier } from "../../classifiers/differentiable.ts";
import { openFeatureClassifier } from "../../classifiers/features.ts";
import { type OnnxClassifierFiles, openOnnxClassifier } from "../../classifiers/onnx.ts";
import { openWhiteBox, type WhiteBox } from "../../classifiers/white-box.ts";
import { InputError } from "../../core/errors.ts";
import type { LabelledImages } from "../../data/dataset.ts";
import { contentHash } from "../../data/splits.ts";
import type { Prior } from "../../diffusion/prior.ts";
import { type Draw, drawnRows } from "../../jobs/bench/drawn-rows.ts";
import type { CellJob, ModelJob } from "../../jobs/bench/job.ts";
import type { References } from "../../jobs/scan/references.ts";
import type { TrainingData } from "../../jobs/training/host.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import { folderSource } from "../folder-source.ts";
import { readClassifierFiles } from "../open-classifier.ts";
import { openDataset } from "../open-dataset.ts";
import { openPriorAt } from "../open-prior.ts";
import { readTrainingData } from "../training-data.ts";
import { readWholeReferences, type WholeReferences } from "./whole-references.ts";

/** This machine has other data, or another prior, than the job was made for: it must not do the job. */
export class UnfitMachine extends InputError {}

/** A model of a bench, open. */
export interface OpenModel {
  readonly classifier: Classifier;
  readonly trigger: Trigger | undefined;
  readonly files: OnnxClassifierFiles;
  differentiable(): Promise<DifferentiableClassifier>;
  whiteBox(): Promise<WhiteBox>;
  dispose(): Promise<void>;
}

/** Images of a cell. */
export interface CellImages {
  readonly images: LabelledImages;
  readonly classes: number;
}

/** What is open, or will be when asked for. */
export interface JobAssets {
  /** @throws UnfitMachine for other images than the job was made for. */
  images(job: CellJob): Promise<CellImages>;
  /** @throws as `images`. */
  calibration(job: CellJob): Promise<LabelledImages | undefined>;
  /** The clean images that the job's defence may see. @throws as `images`. */
  clean(job: CellJob): Promise<LabelledImages | undefined>;
  model(folder: string): Promise<OpenModel>;
  /** @throws UnfitMachine for other references than the job was made for. */
  references(job: CellJob): Promise<References | undefined>;
  /** @throws UnfitMachine for another prior than the job was made for. */
  prior(job: CellJob): Promise<Prior | undefined>;
  /** @throws as `images`. */
  training(job: ModelJob): Promise<TrainingData>;
  dispose(): Promise<void>;
}

/** Priors that stay open: a plan rarely has more than one in each precision. */
const MOST_PRIORS = 3;

/** Assets of one worker. */
export function jobAssets(
  runtime: Runtime,
  { threads, signal }: { readonly threads: number; readonly signal: AbortSignal | undefined },
): JobAssets {
  const images = keptOpen<CellImages>(3, async () => undefined);
  const training = keptOpen<TrainingData>(1, async () => undefined);
  const models = keptOpen<OpenModel>(1, (model) => model.dispose());
  const references = keptOpen<WholeReferences>(1, async () => undefined);
  const priors = keptOpen<Prior>(MOST_PRIORS, (prior) => prior.dispose());
  const chosen = (name: string, split: "validation" | "test", choice: ImageChoice): Promise<CellImages> =>
    images.get(JSON.stringify([name, split, choice]), () => readChosen(name, split, { ...choice, signal }));
  return {
    images: ({ data }) => chosen(data.path, data.split, data.images),
    async calibration({ data, calibration }) {
      if (calibration === null) return undefined;
      return (await chosen(data.path, "validation", { ...calibration.images, skip: measured(data) })).images;
    },
    async clean({ data, defence, seed }) {
      if (!("clean" in defence)) return undefined;
      return (await chosen(data.path, "validation", { ...defence.clean, skip: measured(data), seed })).images;
    },
    async references({ defence }) {
      if (defence.kind !== "scan") return undefined;
      const { path, sha256 } = defence.references;
      const read = await references.get(path, () => readWholeReferences(path));
      if (read.sha256 === sha256) return read.references;
      throw new UnfitMachine(`${path}: expected references with hash ${short(sha256)}, got ${short(read.sha256)}.`);
    },
    model: (folder) => models.get(folder, () => openModel(folder, runtime, threads)),
    async prior({ prior }) {
      if (prior === null) return undefined;
      const { path, precision, hash } = prior;
      const open = await priors.get(JSON.stringify(prior), () =>
        openPriorAt(path, runtime, { precision, threads, signal }),
      );
      if (open.hash === hash) return open;
      throw new UnfitMachine(`${path}: expected the prior with hash ${short(hash)}, got ${short(open.hash)}.`);
    },
    async training({ data: { path: name, images: limit, sha256 } }) {
      const read = await training.get(JSON.stringify([name, limit]), () =>
        readTrainingData(name, { limit: limit ?? undefined, signal }),
      );
      if (read.sha256 === sha256) return read;
      throw new UnfitMachine(
        `${name}: expected training data with hash ${short(sha256)}, got ${short(read.sha256 ?? "none")}.`,
      );
    },
    async dispose() {
      for (const kept of [models, priors]) await kept.dispose();
    },
  };
}

interface ImageChoice extends Draw {
  readonly sha256: string;
}

/** Images of the validation split that are measured. */
function measured({ split, images }: CellJob["data"]): number {
  return split === "validation" ? images.count : 0;
}

async function readChosen(
  name: string,
  split: "validation" | "test",
  { sha256, signal, ...draw }: ImageChoice & { readonly signal: AbortSignal | undefined },
): Promise<CellImages> {
  const { dataset, read } = await openDataset(name, { signal });
  const what = `${name}, ${split} split`;
  const images = await read(split, { signal, rows: ({ labels }) => drawnRows(labels.length, draw, what) });
  const got = contentHash(images);
  if (got === sha256) return { images, classes: dataset.classes.length };
  throw new UnfitMachine(`${what}: expected images with hash ${short(sha256)}, got ${short(got)}.`);
}

async function openModel(folder: string, runtime: Runtime, threads: number): Promise<OpenModel> {
  const files = await readClassifierFiles(folder);
  const hasTrigger = await stat(join(folder, "trigger")).then(
    (found) => found.isDirectory(),
    () => false,
  );
  const classifier = await openOnnxClassifier(files, runtime, { threads });
  const trigger = hasTrigger ? await readTrigger(folderSource(join(folder, "trigger")), { runtime }) : undefined;
  let differentiable: Promise<DifferentiableClassifier> | undefined;
  let whiteBox: Promise<WhiteBox> | undefined;
  return {
    classifier,
    trigger,
    files,
    differentiable() {
      differentiable ??= openFeatureClassifier(files, runtime, { threads });
      return differentiable;
    },
    whiteBox() {
      whiteBox ??= openWhiteBox(files, runtime, { threads });
      return whiteBox;
    },
    async dispose() {
      await (await whiteBox?.catch(() => undefined))?.dispose();
      await (await differentiable?.catch(() => undefined))?.dispose();
      await trigger?.dispose();
      await classifier.dispose();
    },
  };
}

/** The last few things that were asked for. */
function keptOpen<Thing>(
  most: number,
  close: (thing: Thing) => Promise<void>,
): { get(key: string, open: () => Promise<Thing>): Promise<Thing>; dispose(): Promise<void> } {
  const kept = new Map<string, Thing>();
  const drop = async (key: string): Promise<void> => {
    const thing = kept.get(key);
    kept.delete(key);
    if (thing !== undefined) await close(thing);
  };
  return {
    async get(key, open) {
      const there = kept.get(key);
      kept.delete(key);
      const [oldest] = kept.keys();
      // Room is made first: two of a kind may be more than memory holds.
      if (there === undefined && oldest !== undefined && kept.size >= most) await drop(oldest);
      const thing = there ?? (await open());
      kept.set(key, thing);
      return thing;
    },
    async dispose() {
      for (const key of [...kept.keys()]) await drop(key);
    },
  };
}

function short(hash: string): string {
  return hash.slice(0, 12);
}
