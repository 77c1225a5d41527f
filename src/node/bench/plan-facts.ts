/** @file What a plan's data, priors and models are, read from this machine; nothing stays open. */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { readTriggerRecord } from "../../attacks/trigger-folder.ts";
import { FormatError } from "../../core/errors.ts";
import { hashJson, sha256Hex } from "../../core/hash.ts";
import { contentHash } from "../../data/splits.ts";
import { drawnRows } from "../../jobs/bench/drawn-rows.ts";
import type { ModelFacts, PlanHost, SplitFacts, TrainingFacts } from "../../jobs/bench/plan-host.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import { takeRows } from "../../tensor/rows.ts";
import { imageDims } from "../../tensor/shape.ts";
import { float32 } from "../../tensor/tensor.ts";
import { folderSource } from "../folder-source.ts";
import { entriesOf } from "../glob.ts";
import { openWhiteBoxAt, readClassifierFiles } from "../open-classifier.ts";
import { openDataset } from "../open-dataset.ts";
import { openPriorAt } from "../open-prior.ts";
import { readJsonIfThere } from "../read-json.ts";
import { readTrainingData } from "../training-data.ts";
import { readWholeReferences } from "./whole-references.ts";

/** What `training.json` says about an attack, as far as a row repeats it. */
const attackFacts = z.looseObject({
  preset: z.string().nullable().catch(null),
  attackOptions: z.record(z.string(), z.unknown()).catch({}),
});

/**
 * Looks a plan's facts up. Data are kept in memory until the host is dropped.
 * @param runtime opens priors, for their hashes; asked for at most once.
 */
export function planHost(runtime: () => Promise<Runtime>, signal?: AbortSignal): PlanHost {
  return {
    split: once((data, split) => readSplitFacts(data, split, signal)),
    training: once((data, images) => readTrainingFacts(data, images, signal)),
    prior: once(async (path, precision) => {
      const prior = await openPriorAt(path, await runtime(), { precision, signal });
      const { hash, dims } = prior;
      await prior.dispose();
      return { hash, shape: [dims.channels, dims.height, dims.width] };
    }),
    model: once((folder) => readModelFacts(folder)),
    gradients: once(async (folder, shape) => {
      const classifier = await openWhiteBoxAt(folder, await runtime(), { signal });
      try {
        await classifier.lossGradient(float32([1, ...shape]), [0], signal);
      } finally {
        await classifier.dispose();
      }
    }),
    references: once(async (folder) => {
      const { sha256, references } = await readWholeReferences(folder);
      const { c, h, w } = imageDims(folder, references.probe.images.dims);
      return { sha256, shape: [c, h, w], classes: references.classes };
    }),
  };
}

/** The same answer to the same question. */
function once<Question extends readonly unknown[], Answer>(
  ask: (...question: Question) => Promise<Answer>,
): (...question: Question) => Promise<Answer> {
  const answers = new Map<string, Promise<Answer>>();
  return (...question) => {
    const key = JSON.stringify(question);
    const answer = answers.get(key) ?? ask(...question);
    answers.set(key, answer);
    return answer;
  };
}

async function readSplitFacts(
  name: string,
  split: "validation" | "test",
  signal: AbortSignal | undefined,
): Promise<SplitFacts> {
  const { dataset, read } = await openDataset(name, { signal });
  const all = await read(split, { signal });
  const { n: items, c, h, w } = imageDims(name, all.images.dims);
  return {
    name: dataset.name,
    items,
    shape: [c, h, w],
    classes: dataset.classes.length,
    sha256: contentHash(all),
    choose(draw) {
      const rows = drawnRows(items, draw, `${name}, ${split} split`);
      const labels = Uint16Array.from(rows, (row) => all.labels[row] ?? 0);
      return { count: draw.count, sha256: contentHash({ images: takeRows(all.images, rows), labels }) };
    },
  };
}

async function readTrainingFacts(
  name: string,
  images: number | null,
  signal: AbortSignal | undefined,
): Promise<TrainingFacts> {
  const { train, classes, sha256 } = await readTrainingData(name, { limit: images ?? undefined, signal });
  if (sha256 === null) throw new FormatError(`internal: ${name} has no hash`);
  return { ...train, classes: classes.length, sha256 };
}

/** @throws InputError, FormatError when the folder holds no model, or a trigger that is none. */
async function readModelFacts(folder: string): Promise<ModelFacts> {
  const source = folderSource(folder);
  const files = await readClassifierFiles(folder);
  const hasTrigger = await stat(join(folder, "trigger")).then(
    (found) => found.isDirectory(),
    () => false,
  );
  const trigger = hasTrigger ? await readTriggerRecord(folderSource(join(folder, "trigger"))) : undefined;
  const record = attackFacts.safeParse((await readJsonIfThere(source, "training.json")) ?? {});
  const { preset, attackOptions } = record.success ? record.data : { preset: null, attackOptions: {} };
  const attack = trigger?.attack ?? "none";
  return {
    sha256: hashJson({
      model: sha256Hex(files.model),
      config: files.config ?? null,
      preprocessor: files.preprocessor ?? null,
      external: Object.entries(files.externalData ?? {}).map(([name, bytes]) => [name, sha256Hex(bytes)]),
      trigger: hasTrigger ? await hashFolder(join(folder, "trigger")) : null,
    }),
    attack: { name: attack, preset, options: trigger === undefined ? {} : attackOptions },
    shape: trigger?.shape,
  };
}

/** Names and contents of the files of a folder. */
async function hashFolder(folder: string): Promise<unknown> {
  const source = folderSource(folder);
  const files = (await entriesOf(folder)).filter((entry) => entry.isFile()).map(({ name }) => name);
  return Promise.all(files.sort().map(async (name) => [name, sha256Hex(await source(name))]));
}
