/** @file The use case `attack`: a data set is poisoned, a classifier learns it, and what it then does is measured. */
import type { AttackContext, AttackDescriptor, PoisonedRows, PreparedAttack } from "../../attacks/attack.ts";
import { singleTarget } from "../../attacks/label-map.ts";
import { requireNeeds } from "../../attacks/needs.ts";
import { poisonedSet } from "../../attacks/poison.ts";
import { attacks } from "../../attacks/registry.ts";
import { triggerFiles } from "../../attacks/trigger-folder.ts";
import type { DifferentiableClassifier } from "../../classifiers/differentiable.ts";
import { openFeatureClassifier } from "../../classifiers/features.ts";
import { type OnnxClassifierFiles, openOnnxClassifier } from "../../classifiers/onnx.ts";
import { defaultPreset, parseOptions } from "../../core/descriptor.ts";
import { OptionError } from "../../core/errors.ts";
import { hashJson, sha256Hex } from "../../core/hash.ts";
import { lookUp } from "../../core/names.ts";
import { writeNpy } from "../../data/npy.ts";
import { graphToBytes } from "../../graph/to-model.ts";
import { ATTACK_SCHEMA, type AttackRecord } from "../../results/attack-record.ts";
import type { TensorOf } from "../../tensor/tensor.ts";
import { augmentationOf } from "../../training/batches/augment.ts";
import { openPixelGradient } from "../../training/pixel-gradient.ts";
import { trainClassifier } from "../../training/train-classifier.ts";
import { trainClassifierJob } from "../training/classifier.ts";
import { savedClassifier } from "../training/fresh-net.ts";
import { checkpointsOf, type TrainingData, type TrainingHost } from "../training/host.ts";
import { followTraining, recentLoss } from "../training/progress.ts";
import { planOf, type Recipe } from "../training/recipe.ts";
import { attackedBatches, rowsOfAttack } from "./batches.ts";
import { measureBackdoor } from "./measure.ts";
import { hashFiles, measured } from "./record.ts";
import { victimOf } from "./victim.ts";

/** What is asked for. */
export interface AttackRequest {
  /** A name of `attacks`. */
  readonly attack: string;
  readonly preset?: string | undefined;
  /** Options of the attack that differ from the preset's. */
  readonly attackOptions: Readonly<Record<string, unknown>>;
  /** A name of `architectures`, with its options. */
  readonly architecture: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly recipe: Recipe;
  /** Of the poison, the weights and the order of training. */
  readonly seed: number;
}

/** What the job may be lent. */
export interface AttackHost extends TrainingHost {
  /** Files of a classifier trained on clean data, for attacks that need one; trained by the same recipe without. */
  readonly surrogate?: OnnxClassifierFiles | undefined;
  readonly photos?: TensorOf<"uint8"> | undefined;
  /** Tells in words what begins. */
  phase?(name: "surrogate" | "prepare" | "poison" | "train" | "measure"): void;
}

/** A backdoored classifier as files: of the model, below `trigger/`, and `poisoned.npy` with the changed rows' indices. */
export interface AttackResult {
  readonly files: Readonly<Record<string, Uint8Array>>;
  readonly record: AttackRecord;
  readonly losses: readonly number[];
}

/** An attack by name with its complete options. */
export interface AttackChoice {
  readonly descriptor: AttackDescriptor;
  readonly preset: string;
  readonly options: Record<string, unknown>;
}

/**
 * The attack that a request names, with the options of its preset and those given.
 * @throws OptionError for an unknown attack, preset or option, or one out of range.
 */
export function chooseAttack({
  attack,
  preset,
  attackOptions,
}: Pick<AttackRequest, "attack" | "preset" | "attackOptions">): AttackChoice {
  const descriptor = lookUp<AttackDescriptor>("attack", attack, attacks);
  const name = preset ?? defaultPreset(descriptor);
  const set = lookUp(`preset of ${attack}`, name, descriptor.presets);
  const options = parseOptions(descriptor, { ...set, ...attackOptions });
  return { descriptor, preset: name, options };
}

/**
 * Poisons, trains, measures.
 * @throws OptionError, ShapeError when attack, data and network do not fit, before any training; what training throws.
 */
export async function attackJob(request: AttackRequest, data: TrainingData, host: AttackHost): Promise<AttackResult> {
  const choice = chooseAttack(request);
  const { descriptor, options } = choice;
  if (descriptor.threat === "evasion") {
    throw new OptionError(
      `${descriptor.name}: expected an attack that plants a backdoor, got one on test images alone.`,
    );
  }
  const clean = { images: data.train.images, labels: data.train.labels, classes: data.classes.length };
  let files: Promise<OnnxClassifierFiles> | undefined;
  let surrogate: Promise<DifferentiableClassifier> | undefined;
  const surrogateFiles = (): Promise<OnnxClassifierFiles> => {
    files ??= cleanClassifier(request, data, host);
    return files;
  };
  const context: AttackContext = {
    data: clean,
    seed: request.seed,
    runtime: host.runtime,
    surrogate: () => {
      surrogate ??= surrogateFiles().then((own) => openFeatureClassifier(own, host.runtime, { threads: host.threads }));
      return surrogate;
    },
    photos: host.photos,
    signal: host.signal,
  };
  requireNeeds(descriptor, context);
  try {
    host.phase?.("prepare");
    const attack = await descriptor.create(options, context);
    try {
      if (attack.how === "evade") throw new OptionError(`internal: ${descriptor.name} plants nothing`);
      return await runAttack(attack, { request, choice, data, clean, surrogate: surrogateFiles, host });
    } finally {
      await attack.dispose();
    }
  } finally {
    await surrogate?.then(
      (classifier) => classifier.dispose(),
      () => undefined,
    );
  }
}

/** What the steps of one job share. */
interface Run {
  readonly request: AttackRequest;
  readonly choice: AttackChoice;
  readonly data: TrainingData;
  readonly clean: AttackContext["data"];
  /** Files of a classifier that knows the clean data. */
  surrogate(): Promise<OnnxClassifierFiles>;
  readonly host: AttackHost;
}

async function runAttack(
  attack: Exclude<PreparedAttack, { readonly how: "evade" }>,
  { request, choice, data, clean, surrogate, host }: Run,
): Promise<AttackResult> {
  const { recipe, seed } = request;
  const { runtime, threads, signal } = host;
  host.phase?.("poison");
  const poison = attack.how === "poison" ? await attack.poison({ signal }) : undefined;
  const victim = await victimOf(attack, { request, data, surrogate, host });
  const { net } = victim;
  const plan = planOf(recipe, data.train.labels.length);
  const learns = attack.how === "compose" && attack.learns === true;
  const pixels = learns ? openPixelGradient(net.net, { runtime, threads }) : undefined;
  const batches = {
    data: poison === undefined ? clean : poisonedSet(clean, poison),
    attack,
    batch: recipe.batch,
    seed,
    augmentation: augmentationOf(recipe),
    signal,
    pixels,
  };
  host.phase?.("train");
  const trained = await trainClassifier({
    runtime,
    threads,
    net: net.net,
    batch: rowsOfAttack(batches),
    batches: attackedBatches(batches),
    plan,
    learns: victim.learns,
    signal,
    checkpoints: checkpointsOf(
      learns ? { ...host, checkpoints: undefined } : host,
      hashJson({
        attack: [choice.descriptor.name, choice.options],
        request: { architecture: request.architecture, options: request.options, recipe, seed },
        data: data.sha256,
        model: sha256Hex(graphToBytes(net.net.graph)),
      }),
    ),
    onStep: (report, { losses }) => {
      host.progress?.(followTraining({ steps: plan.steps, batch: recipe.batch, losses }, report));
    },
  }).finally(() => pixels?.dispose());
  const { losses, step, weights } = trained.state;
  const files = net.save(trained);
  const trigger = await attack.trigger();
  const stored = triggerFiles(trigger);
  host.phase?.("measure");
  const classifier = await openOnnxClassifier(savedClassifier(files), runtime, { threads });
  try {
    const counts = await measureBackdoor(classifier, trigger, { ...data.test, signal });
    return {
      files: {
        ...files,
        ...Object.fromEntries(Object.entries(stored).map(([name, bytes]) => [`trigger/${name}`, bytes])),
        ...(poison === undefined
          ? {}
          : { "poisoned.npy": writeNpy({ dtype: "int32", dims: [poison.indices.length], data: poison.indices }) }),
      },
      losses,
      record: {
        schema: ATTACK_SCHEMA,
        kind: "classifier",
        attack: choice.descriptor.name,
        preset: choice.preset,
        source: choice.descriptor.source,
        threat: choice.descriptor.threat,
        attackOptions: choice.options,
        labels: trigger.labels,
        target: singleTarget(trigger.labels) ?? null,
        ...poisonCounts(poison),
        dataset: data.name,
        datasetSha256: data.sha256,
        architecture: request.architecture,
        options: { ...recipe, ...request.options },
        seed,
        parameters: weights.length,
        steps: step,
        loss: recentLoss(losses),
        accuracy: measured(counts).cleanAccuracy,
        modelSha256: sha256Hex(files["model.onnx"] ?? new Uint8Array()),
        triggerSha256: hashFiles(stored),
        measuredOn: data.test.labels.length,
        ...measured(counts),
      },
    };
  } finally {
    await classifier.dispose();
  }
}

function poisonCounts(poison: PoisonedRows | undefined): { poisoned: number | null; covers: number | null } {
  if (poison === undefined) return { poisoned: null, covers: null };
  const poisoned = poison.triggered.reduce((sum, one) => sum + one, 0);
  return { poisoned, covers: poison.indices.length - poisoned };
}

/** A classifier that knows the clean data: the one that was given, or one trained by the same recipe. */
async function cleanClassifier(
  { architecture, options, recipe, seed }: AttackRequest,
  data: TrainingData,
  host: AttackHost,
): Promise<OnnxClassifierFiles> {
  if (host.surrogate !== undefined) return host.surrogate;
  host.phase?.("surrogate");
  const clean = { architecture, options, recipe, seed };
  const { files } = await trainClassifierJob(clean, data, { ...host, checkpoints: undefined });
  return savedClassifier(files);
}
