/** @file A classifier by path or address. */
import { stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import type { Classifier, ScoreKind } from "../classifiers/classifier.ts";
import type { DifferentiableFlags } from "../classifiers/differentiable.ts";
import { openHttpClassifier } from "../classifiers/http.ts";
import { type OnnxClassifierFiles, openOnnxClassifier } from "../classifiers/onnx.ts";
import { openWhiteBox, type WhiteBox } from "../classifiers/white-box.ts";
import { FormatError, messageOf, OptionError } from "../core/errors.ts";
import { decodeModel } from "../onnx/codec.ts";
import { loadExternalData } from "../onnx/external-data.ts";
import type { ModelProto } from "../onnx/schema.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { fileError } from "./file-error.ts";
import { folderSource } from "./folder-source.ts";
import { readJsonIfThere } from "./read-json.ts";

/** What the user says about a classifier; each wins over its files. */
export interface ClassifierSettings {
  /** Mean and deviation per channel, or one for all, of values in [0, 1]. */
  readonly mean?: readonly number[] | undefined;
  readonly std?: readonly number[] | undefined;
  readonly layout?: "NCHW" | "NHWC" | undefined;
  readonly scores?: ScoreKind | undefined;
  /** Names of the classes. */
  readonly labels?: readonly string[] | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** True for what {@link openClassifierAt} takes as an address and not as a path. */
export function isAddress(place: string): boolean {
  return /^https?:\/\//i.test(place);
}

/**
 * Opens a classifier: an ONNX file with `config.json` and `preprocessor_config.json` beside it, a folder of these three
 * (`model.onnx`), or the address of a model server.
 * @param runtime may be left out for an address.
 * @throws what `openOnnxClassifier` and `openHttpClassifier` throw, and InputError when there is no such file.
 */
export async function openClassifierAt(
  place: string,
  runtime: Runtime | undefined,
  settings: ClassifierSettings = {},
): Promise<Classifier> {
  if (isAddress(place)) return openHttpClassifier(place, { ...settings, fetch: globalThis.fetch });
  if (runtime === undefined) throw new OptionError(`${place}: expected a runtime for a local model, got none.`);
  const { signal, labels, ...flags } = settings;
  return openOnnxClassifier(await readClassifierFiles(place, { labels, signal }), runtime, flags);
}

/**
 * Opens a local classifier with its graph and its gradients, as inverters and scans need it.
 * @param place as {@link openClassifierAt} takes it.
 * @throws OptionError for an address, which gives neither; what `openWhiteBox` throws, and InputError when there is no such file.
 */
export async function openWhiteBoxAt(
  place: string,
  runtime: Runtime,
  { labels, signal, ...flags }: ClassifierSettings & Pick<DifferentiableFlags, "threads"> = {},
): Promise<WhiteBox> {
  if (isAddress(place)) {
    throw new OptionError(`${place}: expected a local model, because an address gives no gradients, got an address.`);
  }
  return openWhiteBox(await readClassifierFiles(place, { labels, signal }), runtime, flags);
}

/**
 * Reads the files of a local classifier, without loading it.
 * @throws InputError when there is no such file, FormatError when the model is none.
 */
export async function readClassifierFiles(
  place: string,
  { labels, signal }: Pick<ClassifierSettings, "labels" | "signal"> = {},
): Promise<OnnxClassifierFiles> {
  const stats = await stat(place).catch((cause: unknown) => {
    throw fileError(place, "an ONNX file, a folder with model.onnx, or an address", cause);
  });
  const folder = folderSource(stats.isDirectory() ? place : dirname(place));
  const model = await folder(stats.isDirectory() ? "model.onnx" : basename(place), signal);
  const externalData = await loadExternalData(readModel(place, model), folder, signal);
  const config = await readJsonIfThere(folder, "config.json");
  return {
    model,
    config: labels === undefined ? config : withLabels(config, labels),
    preprocessor: await readJsonIfThere(folder, "preprocessor_config.json"),
    externalData,
  };
}

function readModel(place: string, bytes: Uint8Array): ModelProto {
  try {
    return decodeModel(bytes);
  } catch (cause) {
    throw new FormatError(`${place}: ${messageOf(cause)}`, { cause });
  }
}

/** A `config.json` with other class names. */
function withLabels(config: unknown, labels: readonly string[]): object {
  const known = typeof config === "object" && config !== null ? config : {};
  return { ...known, num_labels: labels.length, id2label: Object.fromEntries(labels.entries()) };
}
