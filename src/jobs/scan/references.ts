/**
 * @file Reference classifiers: trained by us on clean images, so known to be clean. Some are judges, on which the
 * perturbations of other models are tried; the others are the null, measured as a suspect is. All of it is kept in a
 * store, reference by reference, so that a stop costs one of them at most.
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
import { augmentationOf } from "../../training/batches/augment.ts";
import { openBatches } from "../../training/batches/open-batches.ts";
import { trainClassifier } from "../../training/train-classifier.ts";
import { freshNet, savedClassifier } from "../training/fresh-net.ts";
import type { ClassifiedImages } from "../training/host.ts";
import { classifierRecipe, planOf } from "../training/recipe.ts";
import { measureModel, SEARCH } from "./measure-model.ts";
import { type ModelMeasures, modelMeasures } from "./measures.ts";
import { probeOf } from "./probe.ts";

/** Schema version of a store's description; a change of what is measured makes it another. */
const REFERENCES_SCHEMA = "untrigger/scan-references@1";
const DESCRIPTION = "references.json";
const PROBE = "probe.npy";

/** Where references are kept, by file name. */
export interface ReferenceStore {
  /** @returns `undefined` where there is none of that name. */
  read(name: string): Promise<Uint8Array | undefined>;
  write(name: string, bytes: Uint8Array): Promise<void>;
}

/** How references are made. */
export interface ReferenceSettings {
  /** Of the null; 19 are the fewest that can give a p-value of .05. */
  readonly count: number;
  readonly judges: number;
  /** Of the network: channels of its first layers. */
  readonly width: number;
  /** Images that a training sees in all: few images are seen more often. */
  readonly visits: number;
  readonly batch: number;
  readonly seed: number;
}

/** The usual ones. */
export const referenceDefaults: ReferenceSettings = {
  count: 20,
  judges: 3,
  width: 16,
  visits: 20_000,
  batch: 64,
  seed: 0,
};

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

/** Names everything that determines the references: images, classes, settings, and what is measured. */
export function referenceKey({ classes, learn, probe }: ReferenceData, settings: ReferenceSettings): string {
  const { count: _count, ...rest } = settings;
  const content = [learn, probe].map(({ images, labels }) => contentHash({ images, labels: Uint16Array.from(labels) }));
  return hashJson({ schema: REFERENCES_SCHEMA, classes, content, settings: rest, search: SEARCH });
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
    const files = await readJudge(store, i);
    if (files !== undefined) found.push(files);
  }
  const measures: ModelMeasures[] = [];
  for (let i = 0; i < count; i++) {
    const own = await store.read(measureName(i));
    if (own !== undefined) measures.push(parsed(modelMeasures, own, measureName(i)));
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
  try {
    for (let i = 0; i < judges && enough?.aborted !== true; i++) {
      done(i);
      if ((await readJudge(store, i)) === undefined) {
        // Judges and null must not share seeds: a judge would agree with its twin.
        const files = await train(data, settings, { ...host, signal: stop, seed: seed + 1_000_000 + i }, (part) =>
          done(i + part),
        );
        for (const [name, bytes] of Object.entries(files)) await store.write(`${judgeName(i)}/${name}`, bytes);
      }
      const files = await readJudge(store, i);
      if (files !== undefined) opened.push(await openOnnxClassifier(files, runtime, { threads }));
    }
    const probe = probeOf(data.probe);
    const classes = Array.from({ length: data.classes }, (_, k) => k);
    for (let i = 0; i < count && enough?.aborted !== true; i++) {
      done(judges + i);
      signal?.throwIfAborted();
      if ((await store.read(measureName(i))) !== undefined) continue;
      const files = await train(data, settings, { ...host, signal: stop, seed: seed + i }, (part) =>
        done(judges + i + part / 2),
      );
      const classifier = await openWhiteBox(savedClassifier(files), runtime, { threads });
      try {
        const { measures } = await measureModel(classifier, probe, {
          classes,
          judges: opened,
          seed,
          signal: stop,
          progress: (part, whole) => done(judges + i + 0.5 + part / whole / 2),
        });
        await store.write(measureName(i), encoded(measures));
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

/** Trains one reference. Every other one sees shifted images: suspects come from both kinds of recipes. */
async function train(
  { learn, classes }: ReferenceData,
  { width, visits, batch, seed: first }: ReferenceSettings,
  { runtime, threads, signal, seed }: ReferenceHost & { readonly seed: number },
  progress: (part: number) => void,
): Promise<Readonly<Record<string, Uint8Array>>> {
  const labels = Int32Array.from(learn.labels);
  const rows = Math.min(batch, labels.length);
  const recipe = classifierRecipe.parse({
    epochs: Math.max(1, visits / labels.length),
    batch: rows,
    crop: (seed - first) % 2 === 0 ? 2 : 0,
  });
  const names = Array.from({ length: classes }, (_, k) => String(k));
  const net = freshNet({ architecture: "small-cnn", options: { width }, seed }, { classes: names, train: learn });
  const plan = planOf(recipe, labels.length);
  const trained = await trainClassifier({
    runtime,
    threads,
    signal,
    net: net.net,
    batch: rows,
    plan,
    batches: openBatches({
      kind: "labelled",
      images: learn.images,
      labels,
      classes,
      batch: rows,
      seed,
      augmentation: augmentationOf(recipe),
    }),
    onStep: ({ step }) => progress(step / plan.steps),
  });
  return net.save(trained);
}

async function readJudge(store: ReferenceStore, i: number): Promise<OnnxClassifierFiles | undefined> {
  const names = ["model.onnx", "config.json", "preprocessor_config.json"];
  const files = await Promise.all(names.map((name) => store.read(`${judgeName(i)}/${name}`)));
  const whole = files.flatMap((bytes, at) => (bytes === undefined ? [] : [[names[at] ?? "", bytes] as const]));
  return whole.length < names.length ? undefined : savedClassifier(Object.fromEntries(whole));
}

function judgeName(i: number): string {
  return `judge-${String(i).padStart(2, "0")}`;
}

function measureName(i: number): string {
  return `reference-${String(i).padStart(2, "0")}.json`;
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
