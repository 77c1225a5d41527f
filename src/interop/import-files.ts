/** @file From another toolkit's file or folder to our folders: models, triggers, and pictures with `labels.json`. */
import type { ImageShape } from "../attacks/trigger.ts";
import { triggerFiles } from "../attacks/trigger-folder.ts";
import type { ByteSource } from "../core/byte-source.ts";
import { FormatError, messageOf, OptionError } from "../core/errors.ts";
import type { Decoders } from "../data/decoders.ts";
import { writeNpz } from "../data/npz.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { readBackdoorToolboxSet } from "./backdoor-toolbox.ts";
import { type PoisonedPart, readBackdoorBench } from "./backdoorbench.ts";
import { type BackdoorBenchPreprocessing, backdoorBenchClassifier } from "./backdoorbench-classifier.ts";
import { readPoisonedImages } from "./backdoorbench-pictures.ts";
import { type ForeignKind, recognise } from "./recognise.ts";
import { moduleRefusal, openTorchFile } from "./torch-file.ts";
import { readTrojaiMetadata, readTrojaiModel, type TrojaiExample } from "./trojai.ts";
import { readTrojanZooMark, readTrojanZooParameters } from "./trojanzoo.ts";

/** Where a foreign file lies. */
export interface ForeignPlace {
  /** What the user called it. */
  readonly name: string;
  /** The file's own name inside `source`; `undefined` for a folder. */
  readonly file: string | undefined;
  /** All files below the folder, by path with slashes; for a file, those of its folder. */
  readonly paths: readonly string[];
  /** Reads them. */
  readonly source: ByteSource;
}

/** What the other toolkit does not say. */
export interface ImportOptions extends BackdoorBenchPreprocessing {
  /** Of marks: [C, H, W] of the images. */
  readonly shape?: ImageShape | undefined;
  readonly target?: number | undefined;
  /** Of marks: the JSON of their parameters. */
  readonly parameters?: Uint8Array | undefined;
  readonly decoders: Decoders;
  readonly signal?: AbortSignal | undefined;
}

/** What an import makes. */
export interface Imported {
  readonly kind: ForeignKind;
  /** Files to write, by path. */
  readonly files: Readonly<Record<string, Uint8Array>>;
  /** What `import.json` says, beside the files: indices, ground truth. */
  readonly record: Readonly<Record<string, unknown>>;
  /** Sentences about what was left out. */
  readonly notes: readonly string[];
}

type Part = Pick<Imported, "files" | "record" | "notes">;

/** Schema of `import.json`. */
export const IMPORT_SCHEMA = "untrigger/import@1";

/**
 * Imports what lies at a place. Nothing is run, and nothing is left out without a note.
 * @throws FormatError when it is no layout that is known, is damaged or is a pickled module; OptionError when options are
 * missing; what `source` throws.
 */
export async function importFiles(place: ForeignPlace, options: ImportOptions): Promise<Imported> {
  const { name, file, paths } = place;
  const kind = recognise(file === undefined ? paths : [file], file === undefined);
  if (kind === undefined) {
    throw new FormatError(
      `${name}: expected attack_result.pt or its folder (BackdoorBench), imgs with labels and poison_indices ` +
        "(backdoor-toolbox), a mark as npy, npz or png (TrojanZoo) or a TrojAI folder, got none of them.",
    );
  }
  const part = await importers[kind](place, options);
  const record = { schema: IMPORT_SCHEMA, kind, ...part.record, notes: part.notes };
  const text = new TextEncoder().encode(`${JSON.stringify(record, undefined, 2)}\n`);
  return { kind, files: { ...part.files, "import.json": text }, record, notes: part.notes };
}

const importers: Readonly<Record<ForeignKind, (place: ForeignPlace, options: ImportOptions) => Promise<Part>>> = {
  backdoorbench: importBackdoorBench,
  "backdoor-toolbox": importBackdoorToolbox,
  trojanzoo: importMark,
  "trojai-model": importTrojaiModel,
  "trojai-round": async ({ source }, { signal }) => ({
    files: {},
    record: { models: readTrojaiMetadata(await source("METADATA.csv", signal)) },
    notes: ["Only the table of the round was read; import the folder of a model for its pictures."],
  }),
  "pickled-model": importWeights,
};

async function importBackdoorBench(place: ForeignPlace, options: ImportOptions): Promise<Part> {
  const { file, paths, source } = place;
  const { signal } = options;
  const own = file ?? (paths.includes("attack_result.pt") ? "attack_result.pt" : "defense_result.pt");
  const result = readBackdoorBench(await source(own, signal), own);
  const files = under("model", backdoorBenchClassifier(result, options));
  const notes: string[] = [];
  const record: Record<string, unknown> = { model: result.model.name, dataset: result.dataset ?? null };
  for (const [key, folder, part] of [
    ["train", "poisoned-train", result.train],
    ["test", "triggered-test", result.test],
  ] as const) {
    if (part === undefined) {
      notes.push(`${own} holds no poisoned images to ${key}.`);
      continue;
    }
    record[key] = {
      total: part.total,
      indices: part.items.map(({ index }) => index),
      labels: part.items.map(({ label }) => label),
      originalLabels: part.items.map(({ originalLabel }) => originalLabel),
    };
    const dims = result.model.imageSize;
    if (dims === undefined || part.items.length === 0) continue;
    if (!part.items.some(({ path }) => paths.includes(path))) {
      notes.push(`The ${part.items.length} poisoned pictures to ${key} do not lie beside ${own} and were left out.`);
      continue;
    }
    await readPoisonedImages(part, source, { decoders: options.decoders, signal, dims });
    Object.assign(files, under(folder, await picturesOf(part, { key, source, signal })));
  }
  return { files, record, notes };
}

/** Pictures as they are. To train they have the attacker's labels, to test those of what they show. */
async function picturesOf(
  { items }: PoisonedPart,
  {
    key,
    source,
    signal,
  }: { readonly key: "train" | "test"; readonly source: ByteSource; readonly signal?: AbortSignal | undefined },
): Promise<Record<string, Uint8Array>> {
  const files: Record<string, Uint8Array> = {};
  const labels: Record<string, number> = {};
  for (const { path, index, label, originalLabel } of items) {
    const name = `${index}.${path.split(".").at(-1)}`;
    files[name] = await source(path, signal);
    labels[name] = key === "train" ? label : originalLabel;
  }
  return { ...files, "labels.json": jsonBytes(labels) };
}

async function importBackdoorToolbox({ paths, source }: ForeignPlace, { signal }: ImportOptions): Promise<Part> {
  const { images, labels, poisonIndices, coverIndices } = readBackdoorToolboxSet({
    imgs: await source("imgs", signal),
    labels: await source("labels", signal),
    poison_indices: await source("poison_indices", signal),
    cover_indices: paths.includes("cover_indices") ? await source("cover_indices", signal) : undefined,
  });
  const arrays = new Map<string, Tensor>([
    ["images", images],
    ["labels", { dtype: "uint16", dims: [labels.length], data: labels }],
  ]);
  return {
    files: { "data.npz": writeNpz(arrays) },
    record: { poisonIndices: [...poisonIndices], coverIndices: [...coverIndices] },
    notes: [],
  };
}

async function importMark({ name, file = "", source }: ForeignPlace, options: ImportOptions): Promise<Part> {
  const { shape, target, decoders, signal } = options;
  if (shape === undefined) {
    throw new OptionError(
      `${name}: expected the size of the images that the mark is for, got none. Do give --image CxHxW.`,
    );
  }
  const parameters =
    options.parameters === undefined ? undefined : readTrojanZooParameters(options.parameters, "--parameters");
  const trigger = await readTrojanZooMark(await source(file, signal), file, { shape, target, parameters, decoders });
  return {
    files: triggerFiles(trigger),
    record: { labels: trigger.labels, parameters: trigger.parameters },
    notes: [],
  };
}

async function importTrojaiModel({ paths, source }: ForeignPlace, { signal }: ImportOptions): Promise<Part> {
  const read = async (name: string): Promise<Uint8Array | undefined> =>
    paths.includes(name) ? await source(name, signal) : undefined;
  const config = (await read("config.json")) ?? (await read("reduced-config.json"));
  const { clean, triggered, module, ...record } = readTrojaiModel({
    paths,
    config,
    groundTruth: await read("ground_truth.csv"),
  });
  const copy = async (examples: readonly TrojaiExample[]): Promise<Record<string, Uint8Array>> => {
    if (examples.length === 0) return {};
    const files: Record<string, Uint8Array> = {};
    for (const { path } of examples) files[path] = await source(path, signal);
    return { ...files, "labels.json": jsonBytes(Object.fromEntries(examples.map(({ path, label }) => [path, label]))) };
  };
  return {
    files: { ...under("clean", await copy(clean)), ...under("triggered", await copy(triggered)) },
    record: { ...record, triggered: triggered.map(({ path, trigger }) => ({ path, trigger: trigger ?? null })) },
    notes: module === undefined ? [] : [messageOf(moduleRefusal(module, "TrojAI stores whole modules"))],
  };
}

/** A file of torch by another name: a result after all, a whole module, or weights without an architecture. */
async function importWeights(place: ForeignPlace, options: ImportOptions): Promise<Part> {
  const { name, file = "", source } = place;
  const { value } = openTorchFile(await source(file, options.signal), file);
  if (value instanceof Map && value.has("model_name")) return await importBackdoorBench(place, options);
  throw new FormatError(
    `${name}: expected a result with model_name, as BackdoorBench's, got weights that do not say of which network. Do ` +
      "export the model with torch.onnx.export where its code is.",
  );
}

function under(folder: string, files: Readonly<Record<string, Uint8Array>>): Record<string, Uint8Array> {
  return Object.fromEntries(Object.entries(files).map(([path, bytes]) => [`${folder}/${path}`, bytes]));
}

function jsonBytes(value: object): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(value, undefined, 2)}\n`);
}
