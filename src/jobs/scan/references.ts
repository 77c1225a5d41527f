/**
 * @file Reference classifiers: trained by us on clean images, so known to be clean. Some are judges, on which the
 * perturbations of other models are tried; the others are the null, measured as a suspect is. All of it is kept in a
 * store, model by model, so that a stop costs one of them at most, and another search costs no training.
 */
import { z } from "zod";
import type { Classifier } from "../../classifiers/classifier.ts";
import { type OnnxClassifierFiles, openOnnxClassifier } from "../../classifiers/onnx.ts";
import { openWhiteBox } from "../../classifiers/white-box.ts";
import { FormatError, messageOf, OptionError } from "../../core/errors.ts";
import { hashJson } from "../../core/hash.ts";
import { readNpy, writeNpy } from "../../data/npy.ts";
import { contentHash } from "../../data/splits.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import { formatDims } from "../../tensor/shape.ts";
import type { TensorOf } from "../../tensor/tensor.ts";
import { savedClassifier } from "../training/fresh-net.ts";
import type { ClassifiedImages } from "../training/host.ts";
import { disturbances } from "./disturbances.ts";
import { measureModel, SEARCH } from "./measure-model.ts";
import { type ModelMeasures, modelMeasures } from "./measures.ts";
import { probeOf } from "./probe.ts";
import type { ReferenceSettings } from "./reference-settings.ts";
import { type ReferenceTraining, trainReference } from "./train-reference.ts";

/** Schema version of a store's description; a change of what is measured makes it another. */
const REFERENCES_SCHEMA = "untrigger/scan-references@2";
const DESCRIPTION = "references.json";
const PROBE = "probe.npy";

/** Where references are kept, by file name. */
export interface ReferenceStore {
  /** @returns `undefined` where there is none of that name. */
  read(name: string): Promise<Uint8Array | undefined>;
  write(name: string, bytes: Uint8Array): Promise<void>;
}

/** Clean images that references are made from. */
export interface ReferenceData {
  readonly name: string;
  /** How many classes there are: the model's. */
  readonly classes: number;
  readonly learn: ClassifiedImages;
  readonly probe: ClassifiedImages;
}

/** References that are ready to compare with. */
export interface References {
  readonly key: string;
  readonly classes: number;
  readonly probe: ClassifiedImages;
  readonly judges: readonly OnnxClassifierFiles[];
  readonly measures: readonly ModelMeasures[];
  /** False where some are still to be made. */
  readonly complete: boolean;
}

/** What making references is lent. */
export interface ReferenceHost {
  readonly runtime: Runtime;
  readonly threads?: number | undefined;
  readonly store: ReferenceStore;
  readonly signal?: AbortSignal | undefined;
  /** Once aborted, no more references are begun. */
  readonly enough?: AbortSignal | undefined;
  progress?(done: number, total: number): void;
}

const description = z.object({
  schema: z.literal(REFERENCES_SCHEMA),
  key: z.string(),
  data: z.string(),
  classes: z.int().min(2),
  labels: z.array(z.int().min(0)),
  count: z.int().min(1),
  judges: z.int().min(0),
  settings: z.record(z.string(), z.unknown()),
});

/** What was measured of a reference, and how: measures of other searches are made again. */
const keptMeasures = modelMeasures.extend({ search: z.string() });

/** Names the searches behind measures. */
function searchHash(): string {
  return hashJson({ search: SEARCH, disturbances: disturbances.map(({ name }) => name) });
}

/** Names everything that determines the reference models: images, classes, settings. */
export function referenceKey({ classes, learn, probe }: ReferenceData, settings: ReferenceSettings): string {
  const { count: _count, ...rest } = settings;
  const content = [learn, probe].map(({ images, labels }) => contentHash({ images, labels: Uint16Array.from(labels) }));
  return hashJson({ schema: REFERENCES_SCHEMA, classes, content, settings: rest });
}

/** The references of a store as far as they are there. @returns `undefined` for an empty one. @throws FormatError for a damaged one. */
export async function readReferences(store: ReferenceStore): Promise<References | undefined> {
  const bytes = await store.read(DESCRIPTION);
  if (bytes === undefined) return undefined;
  const { key, classes, labels, count, judges } = parsed(description, bytes, DESCRIPTION);
  const images = readNpy((await store.read(PROBE)) ?? new Uint8Array(), PROBE);
  if (images.dtype !== "uint8" || images.dims.length !== 4 || images.dims[0] !== labels.length) {
    throw new FormatError(
      `${PROBE}: expected ${labels.length} images of bytes, got ${images.dtype} ${formatDims(images.dims)}.`,
    );
  }
  const found: OnnxClassifierFiles[] = [];
  for (let i = 0; i < judges; i++) {
    const files = await readModel(store, judgeName(i));
    if (files !== undefined) found.push(files);
  }
  const measures: ModelMeasures[] = [];
  for (let i = 0; i < count; i++) {
    const own = await readMeasures(store, i);
    if (own !== undefined) measures.push(own);
  }
  const probe = { images: images as TensorOf<"uint8">, labels: Int32Array.from(labels) };
  const complete = found.length === judges && measures.length === count;
  return { key, classes, probe, judges: found, measures: found.length === judges ? measures : [], complete };
}

/**
 * Makes the references that a store still lacks, and gives all of them.
 * @returns what there is when `enough` ends it early. @throws OptionError when the store holds references of other images
 * or settings; what training throws; the signal's reason when aborted.
 */
export async function makeReferences(
  data: ReferenceData,
  settings: ReferenceSettings,
  host: ReferenceHost,
): Promise<References> {
  const { store, enough, signal, runtime, threads } = host;
  const key = referenceKey(data, settings);
  const known = await readReferences(store);
  if (known !== undefined && known.key !== key) {
    throw new OptionError(
      "references: expected a folder for references of these images and settings, got one that holds others. Do name another folder, or scan without new references.",
    );
  }
  const { count, judges, seed } = settings;
  const stop = enough === undefined ? signal : AbortSignal.any(signal === undefined ? [enough] : [enough, signal]);
  await store.write(PROBE, writeNpy(data.probe.images));
  const text = { data: data.name, classes: data.classes, labels: Array.from(data.probe.labels), count, judges };
  await store.write(DESCRIPTION, encoded({ schema: REFERENCES_SCHEMA, key, ...text, settings: { ...settings } }));
  const total = judges + count;
  const done = (parts: number): void => host.progress?.(parts, total);
  const opened: Classifier[] = [];
  /** The files of a model, trained where the store has none. */
  const modelOf = async (name: string, training: Pick<ReferenceTraining, "index" | "seed" | "progress">) => {
    const known = await readModel(store, name);
    if (known !== undefined) return known;
    const files = await trainReference(data, settings, { ...training, runtime, threads, signal: stop });
    for (const [file, bytes] of Object.entries(files)) await store.write(`${name}/${file}`, bytes);
    return savedClassifier(files);
  };
  try {
    for (let i = 0; i < judges && enough?.aborted !== true; i++) {
      done(i);
      // Judges and null must not share seeds: a judge would agree with its twin.
      const training = { index: i, seed: seed + 1_000_000 + i, progress: (part: number) => done(i + part) };
      opened.push(await openOnnxClassifier(await modelOf(judgeName(i), training), runtime, { threads }));
    }
    const probe = probeOf(data.probe);
    const classes = Array.from({ length: data.classes }, (_, k) => k);
    for (let i = 0; i < count && enough?.aborted !== true; i++) {
      done(judges + i);
      signal?.throwIfAborted();
      if ((await readMeasures(store, i)) !== undefined) continue;
      const training = { index: i, seed: seed + i, progress: (part: number) => done(judges + i + part / 2) };
      const classifier = await openWhiteBox(await modelOf(referenceName(i), training), runtime, { threads });
      try {
        const { measures } = await measureModel(classifier, probe, {
          classes,
          judges: opened,
          seed,
          signal: stop,
          progress: (part, whole) => done(judges + i + 0.5 + part / whole / 2),
        });
        await store.write(measureName(i), encoded({ search: searchHash(), ...measures }));
      } finally {
        await classifier.dispose();
      }
    }
  } catch (error) {
    // Time is over: what has been made is kept, and what was in the making is lost.
    if (enough?.aborted !== true || signal?.aborted === true) throw error;
  } finally {
    for (const classifier of opened) await classifier.dispose();
  }
  const made = await readReferences(store);
  if (made === undefined) throw new FormatError("references: expected what was just written, got nothing there.");
  return made;
}

/** The files of a model that the store has whole. */
async function readModel(store: ReferenceStore, name: string): Promise<OnnxClassifierFiles | undefined> {
  const files = ["model.onnx", "config.json", "preprocessor_config.json"];
  const found = await Promise.all(files.map((file) => store.read(`${name}/${file}`)));
  const whole = found.flatMap((bytes, at) => (bytes === undefined ? [] : [[files[at] ?? "", bytes] as const]));
  return whole.length < files.length ? undefined : savedClassifier(Object.fromEntries(whole));
}

/** What was measured of a reference by the searches of today. */
async function readMeasures(store: ReferenceStore, i: number): Promise<ModelMeasures | undefined> {
  const bytes = await store.read(measureName(i));
  if (bytes === undefined) return undefined;
  const { search, ...measures } = parsed(keptMeasures, bytes, measureName(i));
  return search === searchHash() ? measures : undefined;
}

function judgeName(i: number): string {
  return `judge-${String(i).padStart(2, "0")}`;
}

function referenceName(i: number): string {
  return `reference-${String(i).padStart(2, "0")}`;
}

function measureName(i: number): string {
  return `${referenceName(i)}.json`;
}

function encoded(value: unknown): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(value, undefined, 1)}\n`);
}

function parsed<T>(schema: z.ZodType<T>, bytes: Uint8Array, name: string): T {
  try {
    return schema.parse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch (cause) {
    throw new FormatError(
      `${name}: expected a part of references that this version wrote, got ${messageOf(cause).split("\n")[0]}.`,
      { cause },
    );
  }
}
