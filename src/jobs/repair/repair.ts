/** @file The use case `repair`: a classifier is mended with a few clean images, and measured before and after. */
import { singleTarget } from "../../attacks/label-map.ts";
import type { Trigger } from "../../attacks/trigger.ts";
import { triggerFiles } from "../../attacks/trigger-folder.ts";
import { type OnnxClassifierFiles, openOnnxClassifier } from "../../classifiers/onnx.ts";
import { defaultPreset, parseOptions } from "../../core/descriptor.ts";
import { sha256Hex } from "../../core/hash.ts";
import { lookUp } from "../../core/names.ts";
import { repairs } from "../../repair/registry.ts";
import type { RepairDescriptor } from "../../repair/repair.ts";
import { REPAIR_SCHEMA, type RepairMeasure, type RepairRecord } from "../../results/repair-record.ts";
import { hashFiles } from "../attack/record.ts";
import { savedClassifier } from "../training/fresh-net.ts";
import type { ClassifiedImages } from "../training/host.ts";
import { recentLoss } from "../training/progress.ts";
import { measureRepair } from "./measure.ts";
import { type MendingHost, prepareRepair, type RepairImages, requireClasses } from "./prepare-repair.ts";

/** What is asked for. */
export interface RepairRequest {
  /** A name of `repairs`. */
  readonly method: string;
  readonly preset?: string | undefined;
  /** Options of the repair that differ from the preset's. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Of the split of the clean images, and of everything that the repair draws. */
  readonly seed: number;
}

/** Images that a repair may see, and others that it is measured on. */
export interface RepairData extends RepairImages {
  /** Of the content; `null` where nobody knows. */
  readonly sha256: string | null;
  readonly test: ClassifiedImages;
}

/** What the job is lent. */
export interface RepairHost extends MendingHost {
  /** The trigger to measure with; nothing can be said of triggered images without. Its owner disposes it. */
  readonly trigger?: Trigger | undefined;
  /** Tells what begins. */
  phase?(name: "before" | "repair" | "after"): void;
}

/** A mended classifier as files: those of the model, and those of the trigger below `trigger/`. */
export interface RepairResult {
  readonly files: Readonly<Record<string, Uint8Array>>;
  readonly record: RepairRecord;
  readonly losses: readonly number[];
}

/** A repair by name with its complete options. */
export interface RepairChoice {
  readonly descriptor: RepairDescriptor;
  readonly preset: string;
  readonly options: Record<string, unknown>;
}

/**
 * The repair that a request names, with the options of its preset and those given.
 * @throws OptionError for an unknown repair, preset or option, or one out of range.
 */
export function chooseRepair({ method, preset, options }: Omit<RepairRequest, "seed">): RepairChoice {
  const descriptor = lookUp<RepairDescriptor>("repair", method, repairs);
  const name = preset ?? defaultPreset(descriptor);
  const set = lookUp(`preset of ${method}`, name, descriptor.presets);
  return { descriptor, preset: name, options: parseOptions(descriptor, { ...set, ...options }) };
}

/**
 * Measures, mends, measures again.
 * @throws OptionError, ShapeError when request, model, images and trigger do not fit, before any learning; what the
 * repair throws.
 */
export async function repairJob(
  request: RepairRequest,
  files: OnnxClassifierFiles,
  data: RepairData,
  host: RepairHost,
): Promise<RepairResult> {
  const choice = chooseRepair(request);
  const { descriptor, options } = choice;
  const { trigger } = host;
  const { seed } = request;
  const ready = await prepareRepair({ descriptor, options, seed }, files, data, host);
  requireClasses(data.test.labels, ready.classes, data.name);
  host.phase?.("before");
  const before = await measureFiles(files, data, host);
  host.phase?.("repair");
  const { files: mended, repaired } = await ready.mend();
  const { pruned, threshold, curve, losses } = repaired;
  host.phase?.("after");
  const after = await measureFiles(savedClassifier(mended), data, host);
  const stored = trigger === undefined ? {} : triggerFiles(trigger);
  return {
    files: {
      ...mended,
      ...Object.fromEntries(Object.entries(stored).map(([name, bytes]) => [`trigger/${name}`, bytes])),
    },
    losses,
    record: {
      schema: REPAIR_SCHEMA,
      method: descriptor.name,
      preset: choice.preset,
      source: descriptor.source,
      options,
      seed,
      dataset: data.name,
      datasetSha256: data.sha256,
      images: { learned: ready.learned, held: ready.held, test: data.test.labels.length },
      trigger:
        trigger === undefined
          ? null
          : {
              attack: trigger.attack,
              kind: trigger.kind,
              source: trigger.source,
              target: singleTarget(trigger.labels) ?? null,
              sha256: hashFiles(stored),
            },
      modelSha256Before: sha256Hex(files.model),
      modelSha256: sha256Hex(mended["model.onnx"] ?? new Uint8Array()),
      pruned: pruned.map(({ layer, channels, of }) => ({ layer, channels: [...channels], of })),
      threshold,
      curve: curve.map((point) => ({ ...point })),
      steps: losses.length,
      loss: losses.length === 0 ? null : recentLoss(losses),
      measuredOn: data.test.labels.length,
      before,
      after,
    },
  };
}

async function measureFiles(files: OnnxClassifierFiles, data: RepairData, host: RepairHost): Promise<RepairMeasure> {
  const { runtime, threads } = host;
  const classifier = await openOnnxClassifier(files, runtime, { threads });
  try {
    return await measureRepair(classifier, data.test, host);
  } finally {
    await classifier.dispose();
  }
}
