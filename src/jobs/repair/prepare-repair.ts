/** @file A repair that has been checked against model and images, ready to begin; whoever asks measures before and after. */
import { type OnnxClassifierFiles, openOnnxClassifier } from "../../classifiers/onnx.ts";
import { OptionError } from "../../core/errors.ts";
import type { RepairDescriptor, Repaired } from "../../repair/repair.ts";
import { splitImages } from "../../repair/split-images.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import { unitFromBytes } from "../../tensor/image-bytes.ts";
import { rowsOf } from "../../tensor/rows.ts";
import type { ClassifiedImages } from "../training/host.ts";
import { ownNet } from "../training/own-net.ts";

/** A repair by name with its complete options. */
export interface PlannedRepair {
  readonly descriptor: RepairDescriptor;
  readonly options: Record<string, unknown>;
  /** Of the split of the clean images, and of everything that the repair draws. */
  readonly seed: number;
}

/** Images that a repair may see. */
export interface RepairImages {
  /** For messages. */
  readonly name: string;
  readonly clean: ClassifiedImages;
}

/** What a repair is lent. */
export interface MendingHost {
  readonly runtime: Runtime;
  readonly threads?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** How far the repair itself is. */
  progress?(done: number, total: number): void;
}

/** A repair that is ready. */
export interface ReadyRepair {
  /** K */
  readonly classes: number;
  /** Images that are learned from, and that thresholds are chosen on. */
  readonly learned: number;
  readonly held: number;
  /** Mends. @returns the files of the mended model by name. @throws what training throws, the signal's reason when aborted. */
  mend(): Promise<{ readonly files: Readonly<Record<string, Uint8Array>>; readonly repaired: Repaired }>;
}

/**
 * Prepares a repair. @throws OptionError, ShapeError when model, images and method do not fit, before any learning.
 */
export async function prepareRepair(
  { descriptor, options, seed }: PlannedRepair,
  files: OnnxClassifierFiles,
  { name, clean }: RepairImages,
  host: MendingHost,
): Promise<ReadyRepair> {
  const { runtime, threads, signal } = host;
  const net = await ownNet(files, { name, train: clean }, { runtime, threads, signal, subject: "repair" });
  const classes = await classesOf(files, clean, host);
  requireClasses(clean.labels, classes, name);
  const { learned, held } = splitImages(clean, { seed, held: descriptor.needs.heldImages });
  const repair = await descriptor.create(options, {
    net: net.net,
    classes,
    learned,
    held,
    seed,
    runtime,
    threads,
    signal,
    progress: (done, total) => host.progress?.(done, total),
  });
  return {
    classes,
    learned: learned.labels.length,
    held: held.labels.length,
    async mend() {
      const repaired = await repair.repair();
      return { files: net.save({ graph: repaired.graph }), repaired };
    },
  };
}

/** How many classes a model tells scores of. */
async function classesOf(
  files: OnnxClassifierFiles,
  clean: ClassifiedImages,
  { runtime, threads, signal }: MendingHost,
): Promise<number> {
  const classifier = await openOnnxClassifier(files, runtime, { threads });
  try {
    const first = rowsOf(clean.images, 0, 1);
    const { scores } = await classifier.classify(unitFromBytes(first.dims, first.data), signal);
    return scores.dims[1] ?? 0;
  } finally {
    await classifier.dispose();
  }
}

/** @throws OptionError for a label that the model has no score for. */
export function requireClasses(labels: ArrayLike<number>, classes: number, name: string): void {
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i] ?? -1;
    if (Number.isInteger(label) && label >= 0 && label < classes) continue;
    throw new OptionError(
      `repair: expected labels from 0 to ${classes - 1}, one for each score of the model, got ${label} for an image of ${name}. Do give images of the classes that the model knows.`,
    );
  }
}
